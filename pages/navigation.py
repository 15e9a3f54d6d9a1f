"""The frame around every page: its title, its menu and what stands at the foot of it."""

import streamlit as st

st.set_page_config(page_title="Digits", page_icon=":material/draw:", layout="wide")

page = st.navigation(
    [
        st.Page(
            "draw.py",
            title="Draw",
            icon=":material/draw:",
            default=True,
            help="Draw a digit, or bring a picture of one, and see it read.",
        ),
        st.Page(
            "train.py",
            title="Train",
            icon=":material/model_training:",
            help="Choose a network and its settings, and watch it learn.",
        ),
        st.Page(
            "gallery.py",
            title="Gallery",
            icon=":material/grid_view:",
            help="Look at 100 test samples against what a model reads in them.",
        ),
    ],
    position="top",
)
page.run()
