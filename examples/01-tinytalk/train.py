# train.py - trains tinytalk, a Llama-style character model of tiny Shakespeare.
#
#     python3 train.py path/to/tinyshakespeare/input.txt
#
# writes model.safetensors, golden.safetensors and expected.txt beside itself. It needs
# PyTorch (written with 2.13, CPU) and nothing else, uses one thread and a fixed seed.
# `--steps N` trains longer or shorter, `--export` only rewrites the golden file and
# expected.txt from the weights that are there.

import argparse
import json
import math
import pathlib
import struct
import time

import torch
import torch.nn.functional as F
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent

DIM, LAYERS, HEADS, KV_HEADS, FFN, CONTEXT, EPS = 96, 5, 6, 3, 224, 256, 1e-5
HEAD = DIM // HEADS
THETA = 10000.0
# id = place in this string; the same table stands in main.c
VOCAB = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PROMPT = "ROMEO:"
ID = {c: i for i, c in enumerate(VOCAB)}


# ---- the model: names of members are the names of tensors in the file ----------------


class RMSNorm(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n))

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS) * self.weight


def rope(x):
    # [B, H, T, D]: the pair (2i, 2i+1) of position t turns by t * theta^(-2i/D)
    t, d = x.shape[-2:]
    rate = THETA ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
    angle = torch.arange(t, dtype=torch.float64)[:, None] * rate
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q_proj = nn.Linear(DIM, HEADS * HEAD, bias=False)
        self.k_proj = nn.Linear(DIM, KV_HEADS * HEAD, bias=False)
        self.v_proj = nn.Linear(DIM, KV_HEADS * HEAD, bias=False)
        self.o_proj = nn.Linear(HEADS * HEAD, DIM, bias=False)

    def forward(self, x):
        b, t, _ = x.shape
        q = rope(self.q_proj(x).view(b, t, HEADS, HEAD).transpose(1, 2))
        k = rope(self.k_proj(x).view(b, t, KV_HEADS, HEAD).transpose(1, 2))
        v = self.v_proj(x).view(b, t, KV_HEADS, HEAD).transpose(1, 2)
        k = k.repeat_interleave(HEADS // KV_HEADS, 1)
        v = v.repeat_interleave(HEADS // KV_HEADS, 1)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o_proj(y.transpose(1, 2).reshape(b, t, HEADS * HEAD))


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate_proj = nn.Linear(DIM, FFN, bias=False)
        self.up_proj = nn.Linear(DIM, FFN, bias=False)
        self.down_proj = nn.Linear(FFN, DIM, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.self_attn = Attention()
        self.mlp = MLP()
        self.input_layernorm = RMSNorm(DIM)
        self.post_attention_layernorm = RMSNorm(DIM)

    def forward(self, x):
        x = x + self.self_attn(self.input_layernorm(x))
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed_tokens = nn.Embedding(len(VOCAB), DIM)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = RMSNorm(DIM)


class TinyTalk(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = Decoder()

    def forward(self, tokens):
        x = self.model.embed_tokens(tokens)
        for layer in self.model.layers:
            x = layer(x)
        return self.model.norm(x) @ self.model.embed_tokens.weight.T  # tied head


def start_weights(model):
    for name, p in model.named_parameters():
        if p.dim() == 2:
            deep = name.endswith(("o_proj.weight", "down_proj.weight"))
            std = 0.05 / math.sqrt(2 * LAYERS) if deep else 0.05
            nn.init.normal_(p, 0.0, std)


# ---- training ------------------------------------------------------------------------


def loss_of(model, batch):
    logits = model(batch[:, :-1])
    return F.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())


@torch.no_grad()
def held_out_loss(model, ids):
    # consecutive windows that cover the held-out tenth once
    windows = ids[: (len(ids) - 1) // CONTEXT * CONTEXT + 1]
    rows = windows.unfold(0, CONTEXT + 1, CONTEXT)
    losses = [loss_of(model, part) * len(part) for part in rows.split(32)]
    return float(sum(losses) / len(rows))


def learning_rate(step, steps, top):
    warm = 100
    if step < warm:
        return top * (step + 1) / warm
    done = (step - warm) / (steps - warm)
    return top * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))


def train(text, steps, batch, top):
    ids = torch.tensor([ID[c] for c in text])
    cut = len(ids) * 9 // 10
    learn, held_out = ids[:cut], ids[cut:]
    model = TinyTalk()
    start_weights(model)
    print(sum(p.numel() for p in model.parameters()), "parameters")
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    groups = [
        {"params": matrices, "weight_decay": 0.1},
        {"params": vectors, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=top, betas=(0.9, 0.98))
    began = time.process_time()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps, top)
        at = torch.randint(len(learn) - CONTEXT, (batch, 1))
        loss = loss_of(model, learn[at + torch.arange(CONTEXT + 1)])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 100 == 99:
            seconds = time.process_time() - began
            said = f"loss {loss.item():.3f} cpu {seconds:.0f} s"
            print(f"step {step + 1} {said}", flush=True)
        if step % 500 == 499 or step == steps - 1:
            loss = held_out_loss(model, held_out)
            said = f"held-out loss {loss:.4f} nats per character"
            print(f"step {step + 1} {said}", flush=True)
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
def greedy(model, text):
    # the likeliest character again and again, until the context is full
    ids, gap = [ID[c] for c in text], math.inf
    while len(ids) < CONTEXT:
        best = model(torch.tensor([ids]))[0, -1].topk(2)
        gap = min(gap, float(best.values[0] - best.values[1]))
        ids.append(int(best.indices[0]))
    return "".join(VOCAB[i] for i in ids), gap


@torch.no_grad()
def export(text):
    # float64 from the stored float32 weights; the first characters of the held-out tenth
    model = TinyTalk().double()
    model.load_state_dict(read_weights(HERE / "model.safetensors"))
    ids = torch.tensor([ID[c] for c in text[len(text) * 9 // 10 :]])
    golden = {}
    for case, length in enumerate((1, 2, 7, 33, 101, CONTEXT)):
        tokens = ids[:length]
        golden[f"input.case{case}.tokens"] = tokens.int()
        golden[f"output.case{case}.logits"] = model(tokens[None])[0].float()
    write_safetensors(HERE / "golden.safetensors", golden)
    said, gap = greedy(model, PROMPT)
    (HERE / "expected.txt").write_text(said + "\n")
    print(f"held-out loss {held_out_loss(model, ids):.4f} nats per character")
    print(f"smallest gap between the two best logits while writing: {gap:.4f}")
    print(said)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("text", help="tinyshakespeare/input.txt")
    args.add_argument("--steps", type=int, default=9000)
    args.add_argument("--batch", type=int, default=8)
    args.add_argument("--rate", type=float, default=4e-3)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--export", action="store_true")
    args = args.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    text = pathlib.Path(args.text).read_text()
    assert sorted(set(text)) == list(VOCAB)
    if not args.export:
        model = train(text, args.steps, args.batch, args.rate)
        write_safetensors(HERE / "model.safetensors", model.state_dict())
    export(text)


if __name__ == "__main__":
    main()
