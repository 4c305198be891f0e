"""A worker for Flotilla in Python, with the standard library alone: docs/worker-protocol.md over standard input and output.

Start it as a child process of a fleet (or over ssh, or in a container). It serves the handlers `count_words` and `wait`. Each attempt runs in a thread
of its own; one lock keeps the lines of the threads apart. The fleet starts it, so it need not say who it is, and since its one connection is
all that it has, it does not ask to resume: when standard input ends, it ends.
"""

import base64
import json
import os
import shutil
import sys
import tempfile
import threading

PROTOCOL = 1
INLINE_BYTES = 256 * 1024
PIECE_BYTES = 512 * 1024
LINE_BYTES = 1024 * 1024
EVIDENCE_BYTES = 1_000_000

# The protocol has standard output to itself: what anybody prints goes to standard error.
wire = sys.stdout
sys.stdout = sys.stderr
lock = threading.Lock()
attempts = {}


class Stopped(Exception):
    """The fleet wants the attempt to end."""


def send(frame):
    """Writes one line. Raises ValueError for what no fleet would take, and then nothing was written."""
    line = json.dumps(frame, allow_nan=False)
    if len(line) > LINE_BYTES:
        raise ValueError(f"a message of {len(line)} bytes; the limit is {LINE_BYTES}")
    with lock:
        wire.write(line + "\n")
        wire.flush()


class Attempt:
    """One attempt at one task: its key, its numbers, its files, and its reports to the fleet."""

    def __init__(self, frame):
        self.key = {name: frame[name] for name in ("run_id", "task_id", "attempt")}
        self.heard = 0
        self.seq = 0
        self.transfers = 0
        self.reports = 0
        self.pieces = {}
        self.answers = {}
        self.answered = threading.Condition()
        self.stopping = threading.Event()
        self.handing_back = threading.Event()
        self.begun = False
        self.ended = False
        self.gone = False
        self.own = None
        self.numbering = threading.Lock()

    def say(self, type, **fields):
        # One lock for number and line: what has the lower number must be sent first.
        with self.numbering:
            send({"type": type, **self.key, "seq": self.seq + 1, **fields})
            self.seq += 1

    # What a handler calls. Each raises Stopped once the attempt must end.

    def check(self):
        if self.stopping.is_set():
            raise Stopped()

    def log(self, text):
        self.check()
        for start in range(0, len(text), 100_000):
            self.say("log", text=text[start : start + 100_000])

    def tool(self, name):
        self.check()
        self.say("progress", event={"state": "running_tool", "tool": name})

    def artifact(self, kind, path, content):
        """Hands bytes to the fleet, and waits for its answer: the reference that the receipt will carry."""
        self.check()
        self.reports += 1
        report = self.reports
        if len(content) <= INLINE_BYTES:
            self.say("artifact", report=report, kind=kind, path=path, bytes=encoded(content))
        else:
            self.say("artifact", report=report, kind=kind, path=path, transfer=self.transfer(content))
        with self.answered:
            self.answered.wait_for(lambda: report in self.answers or self.stopping.is_set())
        self.check()
        answer = self.answers[report]
        if "artifact" not in answer:
            raise ValueError(answer.get("refused", "refused"))
        return answer["artifact"]

    # Files, for a worker that does not see those of the fleet.

    def transfer(self, content):
        self.transfers += 1
        for start in range(0, max(len(content), 1), PIECE_BYTES):
            self.say("chunk", transfer=self.transfers, bytes=encoded(content[start : start + PIECE_BYTES]))
        return self.transfers

    def own_folder(self):
        if self.own is None:
            self.own = tempfile.mkdtemp(prefix="flotilla-worker-")
            os.mkdir(os.path.join(self.own, "root"))
        return self.own

    def take_file(self, frame):
        root = os.path.join(self.own_folder(), "root")
        path = os.path.normpath(os.path.join(root, frame["path"]))
        if not path.startswith(root + os.sep):
            raise ValueError("a file outside of the root")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(self.pieces.pop(frame["transfer"], b""))

    def say_evidence(self, scorer):
        """Tells what the scorer of the task will find, since the fleet cannot look."""
        path = (scorer or {}).get("path")
        if path is None:
            return
        full = os.path.realpath(os.path.join(self.root, path))
        if os.path.isabs(path) or not full.startswith(os.path.realpath(self.root) + os.sep):
            self.say("evidence", path=path, found="refused", reason="it leads out of the root")
        elif not os.path.exists(full):
            self.say("evidence", path=path, found="missing")
        elif not os.path.isfile(full):
            self.say("evidence", path=path, found="no_file")
        elif os.path.getsize(full) > EVIDENCE_BYTES:
            self.say("evidence", path=path, found="refused", reason="it is larger than 1000000 bytes")
        else:
            with open(full, "rb") as file:
                self.say("evidence", path=path, found="file", transfer=self.transfer(file.read()))

    def run(self, frame, shares_files):
        """Works in a thread of its own, and says exactly one last frame."""
        task = frame["task"]
        try:
            if shares_files:
                self.folder, self.root = frame["folder"], frame["root"]
            else:
                self.folder = self.own_folder()
                self.root = os.path.join(self.folder, "root")
            handler = HANDLERS.get(task.get("handler"))
            if handler is None:
                last = {"type": "failed", "failure_kind": "task", "reason": "no such handler here", "recoverable": False}
            else:
                last = {"type": "result", "output": handler(self, task.get("input"))}
            if last["type"] == "result" and not shares_files:
                self.say_evidence(task.get("scorer"))
        except Stopped:
            last = {"type": "stopped"}
        except Exception as error:
            last = {"type": "failed", "failure_kind": "task", "reason": f"{type(error).__name__}: {error}"[:1000]}
        self.end({"type": "stopped"} if self.stopping.is_set() else last)

    def end(self, last):
        """Says the last frame; nothing of the attempt runs any more."""
        self.ended = True
        try:
            self.say(**last)
        except ValueError as error:
            self.say("failed", failure_kind="task", reason=f"invalid_output: {error}")
        if self.own is not None:
            shutil.rmtree(self.own, ignore_errors=True)
        self.gone = True

    def stop(self):
        self.stopping.set()
        with self.answered:
            self.answered.notify_all()
        if not self.begun:
            self.end({"type": "stopped"})


def encoded(content):
    return base64.b64encode(content).decode("ascii")


# The handlers: what this worker can do.


def count_words(attempt, input):
    """Counts the words of a file of the task's root, or of the input."""
    attempt.tool("count")
    if "path" in input:
        with open(os.path.join(attempt.root, input["path"]), encoding="utf-8") as file:
            text = file.read()
    else:
        text = input["text"]
    words = len(text.split())
    attempt.log(f"counted {words} words\n")
    print("this goes to standard error")
    report = json.dumps({"words": words})
    with open(os.path.join(attempt.root, "words.json"), "w", encoding="utf-8") as file:
        file.write(report)
    attempt.artifact("report", "words.json", report.encode("utf-8"))
    return {"words": words}


def wait(attempt, input):
    """Waits until the fleet stops the attempt, or asks for what there is."""
    while not attempt.handing_back.wait(0.02):
        attempt.check()
    return "handed back"


HANDLERS = {"count_words": count_words, "wait": wait}


# The conversation.


def beat(every_ms):
    """A heartbeat of each attempt that runs, from a thread that dies with the process."""
    pause = threading.Event()
    while not pause.wait(every_ms / 1000):
        for attempt in list(attempts.values()):
            if attempt.begun and not attempt.ended:
                send({"type": "heartbeat", **attempt.key})


def take(attempt, frame, shares_files):
    """Takes a numbered frame of an attempt once; it comes in order, since this worker's one line never comes back."""
    if frame["seq"] <= attempt.heard:
        return
    attempt.heard = frame["seq"]
    kind = frame["type"]
    if kind == "chunk":
        attempt.pieces[frame["transfer"]] = attempt.pieces.get(frame["transfer"], b"") + base64.b64decode(frame["bytes"])
    elif kind == "file":
        attempt.take_file(frame)
    elif kind == "assign":
        attempt.begun = True
        attempt.say("accepted")
        threading.Thread(target=attempt.run, args=(frame, shares_files), daemon=True).start()
    elif kind == "hand_back":
        attempt.handing_back.set()
    elif kind == "stop":
        attempt.stop()
    elif kind == "collected":
        with attempt.answered:
            attempt.answers[frame["report"]] = frame
            attempt.answered.notify_all()


def main():
    send({"type": "hello", "protocol": PROTOCOL, "handlers": list(HANDLERS), "plain": False, "attempts": []})
    shares_files = False
    grace = 5.0
    for line in sys.stdin.buffer:
        frame = json.loads(line)
        kind = frame["type"]
        if kind == "welcome":
            shares_files = frame["shares_files"]
            threading.Thread(target=beat, args=(frame["heartbeat_ms"],), daemon=True).start()
        elif kind == "refused":
            sys.exit(f"the fleet refused this worker: {frame['reason']}")
        elif kind == "ping":
            send({"type": "pong"})
        elif kind == "bye":
            grace = frame["grace_ms"] / 1000
            break
        elif "task_id" in frame and kind != "ack":
            name = (frame["run_id"], frame["task_id"], frame["attempt"])
            if name not in attempts:
                attempts[name] = Attempt(frame)
            take(attempts[name], frame, shares_files)
            for done in [key for key, attempt in attempts.items() if attempt.gone]:
                del attempts[done]
    # Standard input has ended, or the fleet said bye: all attempts are aborted, and the process ends with its main thread.
    for attempt in list(attempts.values()):
        attempt.stop()
    deadline = threading.Event()
    waited = 0.0
    while waited < grace and any(not attempt.gone for attempt in attempts.values()):
        deadline.wait(0.02)
        waited += 0.02


if __name__ == "__main__":
    main()
