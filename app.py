"""The server, for `streamlit run app.py`: the pages, what protects and watches over them, and the trainer process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from threading import Thread

import streamlit as st
from starlette.middleware import Middleware

from digits import logs, web
from digits.runs.visitors import VisitorCookie
from digits.settings import Settings
from digits.training.keeper import TrainerKeeper
from digits.views import health
from pages._uploads import UploadLimit

settings = Settings.from_environment()


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    logs.configure()
    keeper = TrainerKeeper(settings)
    keeper.start(head_start_seconds=4.0)  # the first page loads first; loading TensorFlow would slow it down
    # Imported only now, because components can be declared only after the server has started.
    Thread(target=lambda: import_module("pages._warm_up").warm_up(), daemon=True).start()
    try:
        yield
    finally:
        keeper.close()


app = st.App(
    "pages/navigation.py",
    lifespan=lifespan,
    middleware=[*web.middleware(), Middleware(VisitorCookie), Middleware(UploadLimit)],
    routes=health.routes(settings),
    on_script_error=health.count_error,
)
