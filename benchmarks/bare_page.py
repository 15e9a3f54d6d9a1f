"""The smallest page that draws and predicts, as a baseline for the app: a canvas, a model and a bar chart.

BARE_READS_WITH=keras streamlit run benchmarks/bare_page.py

The model runs in LiteRT, or with BARE_READS_WITH=keras in `model.predict`.
"""

import os
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image
from streamlit_drawable_canvas import st_canvas

FOLDER = Path(__file__).resolve().parents[1] / "models" / "convolutional"


@st.cache_resource
def reader():
    """Load the model, and return a function from images to probabilities."""
    if os.environ.get("BARE_READS_WITH") == "keras":
        import keras

        model = keras.models.load_model(FOLDER / "model.keras")
        return lambda images: model.predict(images, verbose=0)
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(FOLDER / "model.tflite"), num_threads=1)
    interpreter.allocate_tensors()

    def read(images):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], images)
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    return read


st.title("Draw a digit")
result = st_canvas(
    stroke_width=16, stroke_color="#fff", background_color="#000", width=280, height=280, key="canvas",
    return_image_data=True,
)  # fmt: skip
if result.json_data is not None and result.json_data["objects"]:
    picture = Image.fromarray(result.image_data[..., 0]).resize((28, 28))
    probabilities = reader()(np.asarray(picture, np.float32)[None])[0]
    st.header(f"The model reads {probabilities.argmax()}")
    st.bar_chart(probabilities)
