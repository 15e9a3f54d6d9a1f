"""The pages' short description of each network."""

EXPLANATIONS = {  # one to four sentences, by the names in `hyperparameters.PRESETS`
    "softmax": (
        "One layer: each class adds up the ink multiplied by its own weights, and the highest sum wins. "
        "Ten pictures of weights are the whole model."
    ),
    "published": (
        "784-1024-512-256-10, exactly as in a well-known tutorial. Without activations, its layers are equivalent to a "
        "single one, so it is softmax regression in disguise and stays near 92%. "
        "Its dropout is built but never connected, so the dropout slider has no effect here."
    ),
    "corrected": (
        "The same 784-1024-512-256-10, corrected: ReLU between the layers lets them build on each other, "
        "the initial weights are scaled to each layer's width, and dropout is connected."
    ),
    "convolutional": (
        "Small filters slide over the image and find strokes wherever they are. Three such layers are followed "
        "by two dense ones. Networks of this kind have read digits well since the 1990s."
    ),
    "drawing": (
        "Five convolutions with batch normalisation. It also learns from MNIST's digits redrawn as the Draw page "
        "draws them, from shapes that are rare in MNIST and, where there is any, from real handwriting. Every image is "
        "distorted at random each time it is used. Training takes many minutes."
    ),
}
