"""A real Jupyter server for tests."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

TOKEN = "token"


class JupyterServer:
    """A server that was started in a folder, with what that folder configures; formgrader and JupyterLab are in it."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"http://127.0.0.1:{free.getsockname()[1]}"
        port = self.address.rpartition(":")[2]
        self.log = (folder / "server.log").open("w")
        command = [sys.executable, "-m", "jupyter", "server", "--no-browser", f"--ServerApp.port={port}"]
        command += ["--ServerApp.port_retries=0", "--allow-root", f"--IdentityProvider.token={TOKEN}"]
        command += [
            "--ServerApp.disable_check_xsrf=True",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ]
        self.process = subprocess.Popen(command, cwd=folder, stdout=self.log, stderr=subprocess.STDOUT)

    def ask(self, path, method="GET"):
        """What the server answers, as text; it may still be starting."""
        request = urllib.request.Request(
            f"{self.address}/{path}",
            data=b"{}" if method == "POST" else None,
            headers={"Authorization": f"token {TOKEN}"},
            method=method,
        )
        for _ in range(600):
            assert self.process.poll() is None, "the server has stopped"
            try:
                with urllib.request.urlopen(request, timeout=120) as answer:
                    return answer.read().decode()
            except urllib.error.HTTPError as error:
                raise AssertionError(f"{path}: {error.code}\n{error.read().decode()[:2000]}") from error
            except urllib.error.URLError:
                time.sleep(0.1)
        raise AssertionError("the server has not answered")

    def close(self):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()
