"""BentoML's server in the process that asks for it.

`bentoml serve` does the same, but imports BentoML, its client of BentoCloud among it, once more: a third of the time
that a service takes to its first photo. Uses BentoML's private interface.
"""

from __future__ import annotations

from _bentoml_impl.loader import load
from _bentoml_impl.server import serve_http
from bentoml._internal.log import configure_server_logging
from bentoml._internal.utils.args import set_arguments

SERVICE = "tintype.serving.service:Tintype"


def run_server(model: str, host: str, port: int) -> None:
    """Serve until a signal ends it: SIGINT or SIGTERM, after what was accepted.

    Parameters
    ----------
    model : str
        Tag of the model in BentoML's store.
    host : str
        Address to listen on.
    port : int
        Port to listen on.
    """
    configure_server_logging()
    set_arguments({"model_tag": model})
    load(SERVICE, working_dir=".").inject_config()
    serve_http(SERVICE, working_dir=".", host=host, port=port)
