#!/usr/bin/env python3
"""A consortium on a network that breaks.

Four validators and a node without a vote run in network namespaces of their own on one bridge;
three clients load them. Round after round something is broken and healed: a node is killed
(SIGKILL) and started again, frames of one node to another are dropped one way, the network is
split two to two or three to one, a node is cut off. After each round all nodes must go on within
30 seconds; at the end a checker reads every node's chain and compares it with what the clients
were told.

Needs root, iproute2 and nftables.

    cargo build --release -p tax-node -p benches --bin tax-node --bin load
    scripts/network_trial.py --rounds 50
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VALIDATORS = 4
NODES = VALIDATORS + 1
CLIENTS = 3
BRIDGE = "plbr"
NET = "10.77.0"
PEER_PORT = 7700
HTTP_PORT = 8080
# A correct consortium goes on within this time after healing.
HEALED_WITHIN = 30.0


def say(text):
    print(text, flush=True)


def sh(*command, check=True):
    return subprocess.run(command, check=check, capture_output=True, text=True)


def namespace(number):
    return f"pl{number}"


def address(number):
    return f"{NET}.{10 + number}"


class Network:
    """A bridge, and a namespace for each node; the clients live beside the bridge."""

    def __enter__(self):
        self.clean()
        sh("ip", "link", "add", BRIDGE, "type", "bridge")
        sh("ip", "addr", "add", f"{NET}.1/24", "dev", BRIDGE)
        sh("ip", "link", "set", BRIDGE, "up")
        for number in range(1, NODES + 1):
            name, outer, inner = namespace(number), f"plv{number}", f"ple{number}"
            sh("ip", "netns", "add", name)
            sh("ip", "link", "add", outer, "type", "veth", "peer", "name", inner)
            sh("ip", "link", "set", outer, "master", BRIDGE, "up")
            sh("ip", "link", "set", inner, "netns", name)
            inside = ["ip", "-n", name]
            sh(*inside, "addr", "add", f"{address(number)}/24", "dev", inner)
            sh(*inside, "link", "set", inner, "up")
            sh(*inside, "link", "set", "lo", "up")
            self.nft(number, "add table inet trial")
            self.nft(number, "add chain inet trial in { type filter hook input priority 0; }")
        return self

    def __exit__(self, *_):
        self.clean()

    def clean(self):
        for number in range(1, NODES + 1):
            sh("ip", "netns", "del", namespace(number), check=False)
            sh("ip", "link", "del", f"plv{number}", check=False)
        sh("ip", "link", "del", BRIDGE, check=False)

    def nft(self, number, rule):
        sh("ip", "netns", "exec", namespace(number), "nft", *rule.split())

    def drop(self, sender, receiver):
        """What one node sends to another is lost."""
        self.nft(receiver, f"add rule inet trial in ip saddr {address(sender)} drop")

    def split(self, one, other):
        for a in one:
            for b in other:
                self.drop(a, b)
                self.drop(b, a)

    def heal(self):
        for number in range(1, NODES + 1):
            self.nft(number, "flush chain inet trial in")


class Nodes:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.running = {}

    def data(self, number):
        return os.path.join(self.folder, f"node-{number}")

    def start(self, number):
        log = open(os.path.join(self.folder, f"node-{number}.log"), "ab")
        self.running[number] = subprocess.Popen(
            ["ip", "netns", "exec", namespace(number), self.program, "start",
             "--data", self.data(number),
             "--listen", f"{address(number)}:{HTTP_PORT}",
             "--listen-peers", f"{address(number)}:{PEER_PORT}",
             "--records-per-minute", "1000000", "--failures-per-minute", "1000000"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self, number):
        process = self.running.pop(number)
        process.kill()
        process.wait()

    def stop(self):
        for process in self.running.values():
            process.send_signal(signal.SIGINT)
        for number, process in self.running.items():
            if process.wait(timeout=60) != 0:
                raise SystemExit(f"node {number} ended with {process.returncode}")
        self.running = {}

    def height(self, number):
        try:
            url = f"http://{address(number)}:{HTTP_PORT}/readyz"
            with urllib.request.urlopen(url, timeout=2) as answer:
                return json.load(answer)["height"]
        except urllib.error.HTTPError as error:
            try:
                return json.load(error).get("height")
            except ValueError:
                return None
        except OSError:
            return None

    def heights(self):
        return [self.height(number) for number in range(1, NODES + 1)]

    def alive(self):
        for number, process in self.running.items():
            if process.poll() is not None:
                raise SystemExit(
                    f"node {number} ended by itself with {process.returncode}: see its log")


def faults(dice):
    """What is broken, round after round: every kind in turn, the rest by the seed."""
    validators = list(range(1, VALIDATORS + 1))
    everyone = list(range(1, NODES + 1))
    kinds = 0
    while True:
        victim = everyone[kinds // 5 % NODES]
        yield ("kill", victim)
        yield ("one way", tuple(dice.sample(everyone, 2)))
        pair = dice.sample(validators, 2)
        yield ("two to two", (pair, [n for n in everyone if n not in pair]))
        one = [dice.choice(validators)]
        yield ("three to one", (one, [n for n in everyone if n not in one]))
        yield ("kill two", tuple(dice.sample(validators, 2)))
        kinds += 5


def until(what, patience, holds):
    begin = time.monotonic()
    while not holds():
        if time.monotonic() - begin > patience:
            raise SystemExit(f"{what}: not within {patience:.0f} s")
        time.sleep(0.1)
    return time.monotonic() - begin


def settled(logs):
    return sum(sum(1 for _ in open(log)) for log in logs if os.path.exists(log))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--node", default=os.path.join(HERE, "target/release/tax-node"))
    parser.add_argument("--load", default=os.path.join(HERE, "target/release/load"))
    parser.add_argument("--dir", default=os.path.join(HERE, "target/network-trial"))
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=60.0, help="documents a second and client")
    options = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("namespaces need root")
    shutil.rmtree(options.dir, ignore_errors=True)
    os.makedirs(options.dir)
    dice = random.Random(options.seed)
    peers = ",".join(f"{address(n)}:{PEER_PORT}" for n in range(1, NODES + 1))
    sh(options.load, "trial-prepare", "--dir", options.dir, "--validators", str(VALIDATORS),
       "--peers", peers)
    logs = [os.path.join(options.dir, f"client-{n}.log") for n in range(CLIENTS)]
    begin, slowest, done = time.monotonic(), 0.0, {}
    with Network() as network:
        nodes = Nodes(options.node, options.dir)
        clients = []
        try:
            for number in range(1, NODES + 1):
                nodes.start(number)
            until("start", 60, lambda: None not in nodes.heights())
            urls = ",".join(f"{address(n)}:{HTTP_PORT}" for n in range(1, NODES + 1))
            for number, log in enumerate(logs):
                clients.append(subprocess.Popen(
                    [options.load, "trial-client", "--dir", options.dir, "--nodes", urls,
                     "--number", str(number), "--of", str(CLIENTS),
                     "--rate", str(options.rate), "--log", log],
                    stdin=subprocess.PIPE))
            until("first blocks", 60, lambda: settled(logs) > 0)
            for number, (kind, what) in zip(range(1, options.rounds + 1), faults(dice)):
                time.sleep(dice.uniform(0.5, 1.5))
                before = settled(logs)
                down = []
                if kind == "kill":
                    down = [what]
                elif kind == "kill two":
                    down = list(what)
                elif kind == "one way":
                    network.drop(*what)
                else:
                    network.split(*what)
                for victim in down:
                    nodes.kill(victim)
                time.sleep(dice.uniform(1.0, 5.0))
                during = settled(logs) - before
                network.heal()
                for victim in down:
                    nodes.start(victim)
                heights = [height or 0 for height in nodes.heights()]
                goal = max(heights) + 1
                took = until(
                    f"round {number}: after {kind} {what}", HEALED_WITHIN,
                    lambda: min(height or 0 for height in nodes.heights()) >= goal)
                nodes.alive()
                for client in clients:
                    if client.poll() is not None:
                        raise SystemExit("a client ended: see above")
                slowest = max(slowest, took)
                done[kind] = done.get(kind, 0) + 1
                say(f"round {number}: {kind} {what}: {during} settled meanwhile, "
                    f"all at {goal} {took:.1f} s after healing, {settled(logs)} settled")
            for client in clients:
                client.stdin.close()
            for client in clients:
                if client.wait(timeout=120) != 0:
                    raise SystemExit("a client failed: see above")
            until("the same height everywhere", 60, lambda: len(set(nodes.heights())) == 1)
            nodes.stop()
        finally:
            for process in clients + list(nodes.running.values()):
                process.kill()
    checked = sh(options.load, "trial-check", "--dir", options.dir, "--logs", ",".join(logs),
                 "--json", check=False)
    sys.stdout.write(checked.stdout)
    sys.stderr.write(checked.stderr)
    say(json.dumps({"rounds": done, "slowest_recovery_s": round(slowest, 1),
                    "seconds": round(time.monotonic() - begin), "seed": options.seed}))
    for number in range(1, NODES + 1):
        sh(options.node, "verify", "--data", nodes.data(number))
    say("every node's store verifies")
    sys.exit(checked.returncode)


if __name__ == "__main__":
    main()
