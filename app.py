"""The server, for `streamlit run app.py`: the pages, what protects and watches over them, and the trainer process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from threading import Thread

import streamlit as st

from digits import compression, startup, web
from digits.runs.visitors import VisitorCookie
from digits.settings import Settings
from digits.training.keeper import close_keepers, start_keepers
from digits.views import assets, health, live, previews
from pages._messages import LIMITS

settings = Settings.from_environment()
routes = [*health.routes(settings), *live.routes(settings), previews.route(), assets.route()]


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    startup.prepare()
    keepers = start_keepers(settings, head_start_seconds=4.0)  # the first page goes before TensorFlow
    # Imported here, because components can be declared only after the server has started.
    Thread(target=lambda: import_module("pages._warm_up").warm_up(), daemon=True).start()
    try:
        yield
    finally:
        close_keepers(keepers)


app = st.App(
    "pages/navigation.py",
    lifespan=lifespan,
    middleware=web.middleware(VisitorCookie, *LIMITS, previews.Previews, compression.CompressOnce),
    routes=web.below(st.get_option("server.baseUrlPath"), routes),  # Streamlit puts only its own routes there
    on_script_error=health.count_error,
)
