# train.py - trains digits, a small Vision Transformer for handwritten digits.
#
#     python3 train.py path/to/mnist
#
# where the folder holds t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz. Learns
# from the first 8,000 images, reports the accuracy on the last 2,000, and writes
# model.safetensors, golden.safetensors, digits.txt and expected.txt beside itself. Needs
# PyTorch (written with 2.13, CPU) and nothing else, uses one thread and a fixed seed.
# `--export` only rewrites the other three files from the weights that are there.

import argparse
import gzip
import json
import math
import pathlib
import struct
import time

import torch
import torch.nn.functional as F
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent

IMAGE, PATCH, DIM, HEADS, LAYERS, FFN, CLASSES, EPS = 28, 4, 48, 4, 4, 96, 10, 1e-5
SIDE = IMAGE // PATCH
LEARN = 8000
SHADES = " .:-=+*#%@"  # ten shades of grey, as in main.c


# ---- the model: names of members are the names of tensors in the file ----------------


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key = nn.Linear(DIM, DIM), nn.Linear(DIM, DIM)
        self.value, self.proj = nn.Linear(DIM, DIM), nn.Linear(DIM, DIM)

    def forward(self, x):
        q, k, v = (
            f(x).unflatten(-1, (HEADS, DIM // HEADS)).transpose(1, 2)
            for f in (self.query, self.key, self.value)
        )
        y = F.scaled_dot_product_attention(q, k, v)
        return self.proj(y.transpose(1, 2).flatten(-2))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = nn.LayerNorm(DIM, EPS)
        self.attn = Attention()
        self.norm2 = nn.LayerNorm(DIM, EPS)
        self.up = nn.Linear(DIM, FFN)
        self.down = nn.Linear(FFN, DIM)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch_embed = nn.Linear(PATCH * PATCH, DIM)
        self.pos_embed = nn.Parameter(torch.randn(SIDE * SIDE, DIM) * 0.02)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(DIM, EPS)
        self.head = nn.Linear(DIM, CLASSES)

    def forward(self, pixels):
        # [B, 28, 28] of 0..255 -> 7 x 7 patches of 4 x 4, row by row -> [B, 49, 16]
        ink = (pixels / 255 - 0.1307) / 0.3081
        patch = ink.unflatten(-1, (SIDE, PATCH)).unflatten(-3, (SIDE, PATCH))
        x = self.patch_embed(patch.transpose(-3, -2).flatten(-4, -3).flatten(-2))
        x = x + self.pos_embed
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x).mean(-2))


# ---- training ------------------------------------------------------------------------


def read_mnist(folder):
    images = gzip.decompress((folder / "t10k-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / "t10k-labels-idx1-ubyte.gz").read_bytes())
    images = torch.frombuffer(bytearray(images[16:]), dtype=torch.uint8)
    labels = torch.frombuffer(bytearray(labels[8:]), dtype=torch.uint8)
    return images.view(-1, IMAGE, IMAGE), labels.long()


def disturb(pixels):
    # turned by up to 12 degrees, 12% larger or smaller, moved by up to 2 pixels
    def within(bound):
        return (torch.rand(len(pixels)) * 2 - 1) * bound

    angle, size = within(math.radians(12)), 1 + within(0.12)
    cos, sin = angle.cos() * size, angle.sin() * size
    rows = (cos, -sin, within(2 * 2 / IMAGE), sin, cos, within(2 * 2 / IMAGE))
    affine = torch.stack(rows, -1).view(-1, 2, 3)
    grid = F.affine_grid(affine, (len(pixels), 1, IMAGE, IMAGE), align_corners=False)
    return F.grid_sample(pixels[:, None], grid, align_corners=False)[:, 0]


@torch.no_grad()
def accuracy(model, images, labels):
    right = 0
    for x, y in zip(images.split(250), labels.split(250)):
        right += int((model(x.float()).argmax(-1) == y).sum())
    return right / len(labels)


def train(images, labels, epochs, batch, top):
    model = Digits()
    print(sum(p.numel() for p in model.parameters()), "parameters")
    optimizer = torch.optim.AdamW(model.parameters(), lr=top, weight_decay=0.05)
    steps, step = epochs * (LEARN // batch), 0
    began = time.process_time()
    for epoch in range(epochs):
        order = torch.randperm(LEARN)
        for pick in order[: LEARN // batch * batch].split(batch):
            warm = min(1, (step + 1) / 200)
            rate = top * warm * 0.5 * (1 + math.cos(math.pi * step / steps))
            for group in optimizer.param_groups:
                group["lr"] = rate
            logits = model(disturb(images[pick].float()))
            loss = F.cross_entropy(logits, labels[pick], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
        if epoch % 5 == 4 or epoch == epochs - 1:
            seconds = time.process_time() - began
            said = f"loss {loss.item():.3f} cpu {seconds:.0f} s"
            print(f"epoch {epoch + 1} {said}", flush=True)
    return model


# ---- files ---------------------------------------------------------------------------


def write_safetensors(path, tensors):
    kinds = {torch.float32: "F32", torch.int32: "I32"}
    header, at = {}, 0
    for name in sorted(tensors):
        t = tensors[name]
        size = t.numel() * 4
        header[name] = {
            "dtype": kinds[t.dtype],
            "shape": list(t.shape),
            "data_offsets": [at, at + size],
        }
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for name in sorted(tensors):
            f.write(tensors[name].contiguous().numpy().tobytes())


def read_weights(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + size]).items():
        first, last = (8 + size + n for n in entry["data_offsets"])
        flat = torch.frombuffer(bytearray(data[first:last]), dtype=torch.float32)
        tensors[name] = flat.view(entry["shape"])
    return tensors


@torch.no_grad()
def export(images, labels):
    # float64 from the stored float32 weights; all images from the held-out 2,000
    model = Digits().double()
    model.load_state_dict(read_weights(HERE / "model.safetensors"))
    images, labels = images[LEARN:], labels[LEARN:]
    golden, at = {}, 0
    for case, count in enumerate((1, 2, 7, 16)):
        pixels = images[at : at + count]
        at += count
        golden[f"input.case{case}.pixels"] = pixels.int()
        golden[f"output.case{case}.logits"] = model(pixels.double()).float()
    write_safetensors(HERE / "golden.safetensors", golden)

    # one image of each class, drawn in ten shades: what main.c reads
    art, said = [], []
    for digit in range(CLASSES):
        level = (images[labels == digit][0].int() * 9 + 127) // 255
        rows = ["".join(SHADES[s] for s in row).rstrip() for row in level.tolist()]
        best = int(model((level * 255 // 9)[None].double()).argmax())
        art += rows
        said += rows + [f"this is a {best}"]
    (HERE / "digits.txt").write_text("\n".join(art) + "\n")
    (HERE / "expected.txt").write_text("\n".join(said) + "\n")

    double = [model(x.double()) for x in images.split(250)]
    best = torch.cat(double).topk(2).values
    right = accuracy(model.float(), images, labels)
    print(f"accuracy {right:.4f} on the last 2,000 images")
    gap = float((best[:, 0] - best[:, 1]).min())
    print(f"smallest gap between the two best logits: {gap:.4f}")


def main():
    args = argparse.ArgumentParser()
    args.add_argument("mnist", help="folder with the two t10k files")
    args.add_argument("--epochs", type=int, default=60)
    args.add_argument("--batch", type=int, default=64)
    args.add_argument("--rate", type=float, default=2e-3)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--export", action="store_true")
    args = args.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    images, labels = read_mnist(pathlib.Path(args.mnist))
    if not args.export:
        model = train(images, labels, args.epochs, args.batch, args.rate)
        write_safetensors(HERE / "model.safetensors", model.state_dict())
    export(images, labels)


if __name__ == "__main__":
    main()
