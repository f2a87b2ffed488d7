"""What a hostile student may put into a notebook to make the browser run something, or ask a server for something."""

from feedback_notebook import add_outputs, graded

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9"'
# What a student may write into a cell, or let a cell display. {name} asks the server for /name.
TRICKS = {
    "script": "<script>{run}</script>",
    "script-src": "<script src='{server}/script-src'></script>",
    "onerror": '<img src="{server}/onerror-image" onerror="{run}">',
    "svg-onload": SVG + ' onload="{run}"></svg>',
    "svg-script": SVG + "><script>{run}</script></svg>",
    "svg-image": SVG + '><image href="{server}/svg-image" width="9" height="9"/></svg>',
    "iframe": "<iframe src='{server}/iframe'></iframe>",
    "srcdoc": "<iframe srcdoc=\"<script>parent.document.title='ran'; {run}</script>\"></iframe>",
    "object": "<object data='{server}/object'></object>",
    "embed": "<embed src='{server}/embed'>",
    "stylesheet": "<link rel='stylesheet' href='{server}/stylesheet'>",
    "style-import": "<style>@import '{server}/style-import';</style>",
    "style-url": "<p style='background: url({server}/style-url)'>text</p>",
    "font-face": "<style>@font-face {{ font-family: f; src: url({server}/font-face) }} b {{ font-family: f }}</style><b>b</b>",
    "image": "<img src='{server}/image'>",
    "srcset": "<img srcset='{server}/srcset 1x'>",
    "video": "<video poster='{server}/video'></video>",
    "audio": "<audio src='{server}/audio' autoplay></audio>",
    "input": "<form action='{server}/form'><input type='image' src='{server}/input'></form>",
    "autofocus": '<input autofocus onfocus="{run}">',
    "toggle": '<details open ontoggle="{run}"><summary>s</summary></details>',
    "background": "<table background='{server}/background'><tr><td>cell</td></tr></table>",
    "noscript": '<noscript><p title="</noscript><img src=x onerror=&quot;{run}&quot;>">',
}
# Each of these would take the page, or what comes after it, somewhere else.
TAKES_OVER = {
    "refresh": "<meta http-equiv='refresh' content='0;url={server}/refresh'>",
    "base": "<base href='{server}/base/'><img src='relative.png'>",
    "math": r"$\href{{javascript:{run}}}{{x}} \require{{html}} \style{{background: url({server}/math)}}{{x}}$",
    "markdown-image": "![x]({server}/markdown-image)",
    "markdown-link": "[x](javascript:{run})",
    "ends-title": "</title><script>{run}</script>",
    "ends-style": "</style></pre></details><script>{run}</script>",
    "comment": "<!--><script>{run}</script>-->",
    "mathml": "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror={run}&gt;'>",
}
# What a browser asks for when nothing keeps it from it. Two ask for something else than their name.
BAIT = set(TRICKS) - {"noscript"} | {"onerror-image"}


def payloads(tricks, server):
    """Name -> the trick, with a script in it that changes the title and asks for /name."""
    made = {}
    for name, text in tricks.items():
        run = f"document.title=`ran`;new Image().src=`{server}/{name}`"
        made[name] = text.replace("{run}", run).replace("{server}", server).replace("{{", "{").replace("}}", "}")
    return made


def notebook(path, server):
    """The graded notebook of the source at ``path``, with every trick in every place that a student can put something."""
    texts = payloads(TRICKS | TAKES_OVER, server)
    everything = "\n\n".join(texts.values())
    made = graded(
        path,
        answers={"double": f'def double(x):\n    """{everything}"""\n    return 2 * x', "reason": everything},
        scores={"double-other": 0},
        comments={"reason": everything},
    )
    for text in texts.values():
        error = {"output_type": "error", "ename": text, "evalue": text, "traceback": [text]}
        stream = {"output_type": "stream", "name": "stderr", "text": text}
        kinds = ("text/html", "image/svg+xml", "text/markdown", "text/latex", "text/plain", "application/javascript")
        displays = [{kind: text} for kind in (*kinds, "application/vnd.jupyter.widget-view+json", text, "image/png")]
        add_outputs(made, "free-8", error, stream, *displays)
        add_outputs(made, "free-8", {"image/svg+xml": f"{SVG}>{text}</svg>"})
        add_outputs(made, "double-other", error, stream)
    return made
