"""A pytest plugin for ``make rerun``: nbval leaves pictures out of its comparison; here they are compared too."""

PICTURES = {"image/png", "image/jpeg"}


def pytest_collection_modifyitems(items):
    for item in items:
        item.parent.skip_compare = tuple(key for key in item.parent.skip_compare if key not in PICTURES)
        # The weights of a model are in what an explorer shows, and their last digits depend on the number of threads.
        if "viz.Explorer(" in item.cell.source:
            item.options["check"] = False
