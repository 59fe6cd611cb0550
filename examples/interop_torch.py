"""A recurrent rectifier network of xitensor as a module of PyTorch, which reads and writes its files.

    python3 interop_torch.py score X.npy MODEL.safetensors
        writes MODEL.scores.npy, the scores of a tt model with ξ = rectifier and weights that are not shared
    python3 interop_torch.py train X.npy LABELS.npy MODEL.safetensors
        trains one by Adam, writes it and MODEL.scores.npy

Reading and writing is that of interop.py, by NumPy; the safetensors package of Python reads the same files.
"""

import json
import sys

import numpy as np
import torch

from interop import load, write_safetensors


ACTIVATIONS = {"identity": torch.nn.Identity(), "relu": torch.relu, "tanh": torch.tanh}


class RecurrentRectifier(torch.nn.Module):
    """h_t[k] = Σ_ij G_t[i,j,k] max(a_t[i], h_{t-1}[j], 0) with a_t = C_t σ(A x_t + b), h_0 = 0, scores h_T."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        T, N, L, M = config["steps"], config["inputs"], config["projection"], config["features"]["size"]
        bounds = [1, *config["rank"], config["outputs"]]

        def normal(*shape, fan):
            return torch.nn.Parameter(torch.randn(*shape) / fan**0.5)

        self.A, self.b = normal(M, N, fan=N), torch.nn.Parameter(torch.zeros(M))
        self.C = torch.nn.ParameterList([normal(L, M, fan=M) for _ in range(T)])
        self.G = torch.nn.ParameterList(
            [normal(L, bounds[t], bounds[t + 1], fan=L * bounds[t]) for t in range(T)]
        )

    def forward(self, X):
        F = ACTIVATIONS[self.config["features"]["activation"]](X @ self.A.T + self.b)
        h = F.new_zeros(len(X), 1)
        for t, (C, G) in enumerate(zip(self.C, self.G)):
            joined = torch.relu(torch.maximum((F[:, t] @ C.T)[:, :, None], h[:, None, :]))
            h = joined.flatten(1) @ G.flatten(0, 1)
        return h

    def named(self):
        """Parameters by the names that they have in xitensor."""
        cores = {f"{family}.{t}": core for family in "CG" for t, core in enumerate(getattr(self, family))}
        return {"features.A": self.A, "features.b": self.b, **cores}


def read(path):
    config, tensors = load(path)
    if config["kind"] != "tt" or config["xi"] != "rectifier" or config["shared"]:
        sys.exit(f"{path}: expected a tt model with xi rectifier and weights that are not shared")
    net = RecurrentRectifier(config)
    with torch.no_grad():
        for name, parameter in net.named().items():
            parameter.copy_(torch.tensor(tensors[name]))
    return net


def write(path, net):
    tensors = {name: parameter.detach().numpy() for name, parameter in net.named().items()}
    write_safetensors(path, tensors, {"xitensor": json.dumps({"format": 1, "config": net.config})})


def train(X, labels, epochs=40, size=8, rank=6):
    torch.manual_seed(1)
    steps, inputs = X.shape[1:]
    config = {
        **{"kind": "tt", "xi": "rectifier", "steps": steps, "inputs": inputs, "outputs": int(labels.max()) + 1},
        **{"rank": [rank] * (steps - 1), "projection": size, "shared": False},
        "features": {"size": size, "activation": "identity"},
    }
    net = RecurrentRectifier(config)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for epoch in range(epochs):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(X), labels)
        loss.backward()
        optimizer.step()
        if epoch in (0, epochs - 1):
            print(f"epoch {epoch + 1}: loss {loss:.4g}")
    return net


def main(command, x, *paths):
    X = torch.tensor(np.load(x), dtype=torch.float32)
    path = paths[-1]
    if command == "train":
        net = train(X, torch.tensor(np.load(paths[0]).astype(int)))
        write(path, net)
    else:
        net = read(path)
    with torch.no_grad():
        np.save(path.replace(".safetensors", ".scores.npy"), net(X).numpy())


if __name__ == "__main__":
    main(*sys.argv[1:])
