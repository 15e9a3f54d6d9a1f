"""The server: Streamlit's pages, a cookie that identifies each visitor, and the trainer process.

Start it with `streamlit run app.py`.
"""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware

from digits import descriptors, logs
from digits.runs.visitors import VisitorCookie
from digits.settings import Settings
from digits.training.keeper import close_keepers, start_keepers


def _warm_up() -> None:
    from pages._warm_up import warm_up  # here, because components can be declared only after the server has started

    warm_up()


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    logs.configure()
    descriptors.raise_limit()
    # The first page loads first; loading TensorFlow would slow it down.
    keepers = start_keepers(Settings.from_environment(), head_start_seconds=4.0)
    threading.Thread(target=_warm_up, daemon=True).start()
    try:
        yield
    finally:
        close_keepers(keepers)


app = st.App("pages/navigation.py", lifespan=lifespan, middleware=[Middleware(VisitorCookie)])
