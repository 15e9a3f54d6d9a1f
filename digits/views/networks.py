"""What the pages say of each network."""

EXPLANATIONS = {  # one or two sentences for the visitor, by the names in `hyperparameters.PRESETS`
    "softmax": (
        "One layer: each class adds up the ink under its own weights, and the highest total wins. "
        "Ten pictures of weights are all it knows."
    ),
    "published": (
        "784-1024-512-256-10 exactly as a well-known tutorial has it. Without activations, layers on layers of weights "
        "collapse into one, so it is softmax regression in disguise and stays near 92 %; "
        "its dropout is built but never connected, so that slider changes nothing here."
    ),
    "corrected": (
        "The same 784-1024-512-256-10 put right: ReLU between the layers lets them build on each other, "
        "the first weights are scaled to each layer's width, and dropout really drops."
    ),
    "convolutional": (
        "Small filters slide over the image and find strokes wherever they lie; three such layers, then a vote. "
        "This is how digits have been read well since the 1990s."
    ),
    "drawing": (
        "Five convolutions, normalised over each batch, that learn from more than MNIST: its digits drawn anew as the "
        "Draw page draws, and shapes it seldom shows, all distorted afresh each time. It trains for many minutes."
    ),
}
