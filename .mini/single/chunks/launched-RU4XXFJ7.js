import {
  attemptId,
  attemptKey,
  commandLimits,
  createMessageChannel,
  createProcessBudget,
  createReportChannel,
  descriptors,
  evidenceRoot,
  greet,
  hasEnded,
  isFullDisk,
  isGroupAlive,
  judgedCalls,
  keepEvidenceFile,
  killCarriers,
  labelNames,
  mountProblem,
  openSession,
  processFacts,
  refusedCalls,
  rootProblem,
  sandboxLimits,
  sandboxPlan,
  sayings,
  seccompFilter,
  signalGroup,
  stagedFiles,
  startContainer,
  startProgram,
  termsOf,
  variableProblem,
  wordsProblem
} from "./chunk-ZAETUMKF.js";
import {
  FleetError,
  copyJson
} from "./chunk-XBBK4D7O.js";
import "./chunk-RFYV5G4X.js";

// src/transports/commands/command-launch.ts
import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
var essentials = [
  "HOME",
  "PATH",
  "LANG",
  "LANGUAGE",
  "LC_ALL",
  "LC_COLLATE",
  "LC_CTYPE",
  "LC_MESSAGES",
  "LC_MONETARY",
  "LC_NUMERIC",
  "LC_TIME",
  "TMPDIR",
  "TZ"
];
function artifactsFolder(folder) {
  return join(folder, "artifacts");
}
function planLaunch(assign, { storeId, environment }) {
  const command = assign.task.metadata["command"];
  if (!isCommand(command)) return { problem: "metadata.command is no list of strings with a program first" };
  for (const key of Object.keys(assign.secrets ?? {})) {
    const why = variableProblem(key);
    if (why !== void 0) return { problem: `the secret <secret:${key}> ${why}` };
  }
  const [program, ...args] = command;
  return {
    program,
    args,
    cwd: assign.root,
    environment: { ...inherited(environment), ...assign.environment, ...assign.secrets, ...lease(assign, storeId) }
  };
}
async function prepareFolder(assign) {
  const root = await stat(assign.root).catch(() => void 0);
  if (!root?.isDirectory()) return { problem: `its workspace root ${assign.root} is no folder` };
  await mkdir(artifactsFolder(assign.folder), { recursive: true });
  await writeFile(inputPath(assign.folder), inputText(assign));
  return void 0;
}
function isCommand(value) {
  return Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === "string") && value[0] !== "";
}
function inherited(environment) {
  const set = essentials.flatMap((name) => {
    const value = environment.get(name);
    return value === void 0 ? [] : [[name, value]];
  });
  return Object.fromEntries(set);
}
function lease(assign, storeId) {
  return {
    ...leaseEntries(assign, storeId),
    FLOTILLA_FOLDER: assign.folder,
    FLOTILLA_ARTIFACTS: artifactsFolder(assign.folder),
    FLOTILLA_INPUT: inputPath(assign.folder)
  };
}
function leaseEntries({ run_id, task_id, attempt }, storeId) {
  return { FLOTILLA_STORE: storeId, FLOTILLA_RUN: run_id, FLOTILLA_TASK: task_id, FLOTILLA_ATTEMPT: String(attempt) };
}
function inputPath(folder) {
  return join(folder, "input.json");
}
function inputText({ task, previous, dependencies, allow_parallel_reads, budget_left = {} }) {
  const left = dependencies.map(({ task_id, receipt }) => [task_id, { receipt, output: receipt.output }]);
  const input = { task, input: task.input, previous, dependencies: Object.fromEntries(left), allow_parallel_reads, budget_left };
  return JSON.stringify(input, null, 2);
}

// src/transports/commands/check-runner.ts
import { mkdir as mkdir2, rm, stat as stat2, writeFile as writeFile2 } from "node:fs/promises";
import { join as join2 } from "node:path";

// src/protocol/score-line.ts
function scoreFromLine(line) {
  const text = line.trim();
  if (!text.startsWith("{") || !text.endsWith("}") || !text.includes('"value"')) return void 0;
  const { value, max, notes } = objectFrom(text);
  if (!isFinite(value)) return void 0;
  return { value, ...isFinite(max) && { max }, ...typeof notes === "string" && { notes } };
}
function objectFrom(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
function isFinite(value) {
  return typeof value === "number" && Number.isFinite(value);
}

// src/transports/line-reader.ts
function createLineReader({
  limit,
  emit
}) {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let partial = "";
  let cutBytes = 0;
  const hold = (piece) => {
    const room = limit - partial.length;
    partial += piece.slice(0, room);
    if (piece.length > room) cutBytes += Buffer.byteLength(piece.slice(room));
  };
  const takeLine = () => {
    const line = cutBytes === 0 ? partial : `${partial} [line cut: ${cutBytes} bytes left out]`;
    partial = "";
    cutBytes = 0;
    return `${line}
`;
  };
  const read = (text) => {
    const first = text.indexOf("\n");
    if (first < 0) return hold(text);
    hold(text.slice(0, first));
    const last = text.lastIndexOf("\n");
    const line = takeLine();
    emit(line + text.slice(first + 1, last + 1));
    hold(text.slice(last + 1));
  };
  return {
    write: (bytes) => read(decoder.decode(bytes, { stream: true })),
    end() {
      read(decoder.decode());
      if (partial !== "") emit(takeLine());
    }
  };
}

// src/transports/output-log.ts
var heldChars = 64 * 1024;
var recentChars = 2e3;
function createOutputLog(options) {
  const { limit, unread, send } = options;
  let held = "";
  let leftOut = 0;
  let recent = "";
  const hold = (lines) => {
    held += lines;
    if (held.length <= 2 * heldChars) return;
    const cut = held.length - heldChars;
    leftOut += Buffer.byteLength(held.slice(0, cut));
    held = held.slice(cut);
  };
  const flush = () => {
    if (leftOut > 0) send(`[${leftOut} bytes of output left out: they came faster than they could be kept]
`);
    if (held !== "") send(held);
    held = "";
    leftOut = 0;
  };
  return {
    write(lines) {
      recent = (recent + lines.slice(-recentChars)).slice(-recentChars);
      if (unread() > limit) return hold(lines);
      flush();
      send(lines);
    },
    flush,
    get recent() {
      return recent;
    }
  };
}

// src/transports/commands/command-output.ts
var longestSummary = 1e3;
function createCommandOutput(options) {
  const { lineLimit: lineLimit6, unreadLimit: unreadLimit2, unread, send, redactor } = options;
  const log = createOutputLog({ limit: unreadLimit2, unread, send });
  let summary;
  const stdout = createLineReader({
    limit: lineLimit6,
    emit(lines) {
      const written = lines.trimEnd();
      if (written !== "") summary = written.slice(written.lastIndexOf("\n") + 1).slice(0, longestSummary);
      log.write(lines);
    }
  });
  const stderr = createLineReader({ limit: lineLimit6, emit: log.write });
  const streams = [redacted(stdout, redactor), redacted(stderr, redactor)];
  return {
    stdout: streams[0].write,
    stderr: streams[1].write,
    end() {
      for (const stream of streams) stream.end();
      log.flush();
    },
    note: send,
    get summary() {
      return summary;
    },
    get recent() {
      return log.recent;
    }
  };
}
function redacted(reader, redactor) {
  if (redactor === void 0) return reader;
  const stream = redactor.stream();
  return {
    write: (bytes) => reader.write(stream.write(bytes)),
    end() {
      reader.write(stream.end());
      reader.end();
    }
  };
}

// src/transports/commands/check-output.ts
var lineLimit = 1024 * 1024;
var keptChars = 32 * 1024;
function createCheckOutput(redactor) {
  let beginning2 = "";
  let end = "";
  let leftOut = 0;
  let score;
  const keep = (lines) => {
    const room = keptChars - beginning2.length;
    beginning2 += lines.slice(0, room);
    end += lines.slice(Math.max(0, room));
    if (end.length <= 2 * keptChars) return;
    leftOut += end.length - keptChars;
    end = end.slice(-keptChars);
  };
  const look = (lines) => {
    if (lines.includes('"value"')) for (const line of lines.split("\n")) score = scoreFromLine(line) ?? score;
  };
  const stdout = redacted(
    createLineReader({
      limit: lineLimit,
      emit(lines) {
        look(lines);
        keep(lines);
      }
    }),
    redactor
  );
  const stderr = redacted(createLineReader({ limit: lineLimit, emit: keep }), redactor);
  return {
    stdout: stdout.write,
    stderr: stderr.write,
    end() {
      stdout.end();
      stderr.end();
    },
    get text() {
      return leftOut === 0 ? beginning2 + end : `${beginning2}
[${leftOut} characters left out]
${end}`;
    },
    get score() {
      return score;
    }
  };
}

// src/transports/commands/check-runner.ts
async function runCheck(parts, command, { signal }) {
  const output = createCheckOutput(parts.redactor?.());
  const started = await startCheck(parts, command, { signal, output });
  if ("problem" in started) return { ...started, output: output.text };
  const stop2 = () => started.terminate(parts.termToKillMs);
  signal.addEventListener("abort", stop2, { once: true });
  if (signal.aborted) stop2();
  try {
    return await endOf(parts, command, { signal, output, started });
  } finally {
    signal.removeEventListener("abort", stop2);
    if ("release" in started) await started.release();
  }
}
async function endOf({ clock }, { key, storeId, program }, { signal, output, started }) {
  const end = await started.ended;
  output.end();
  if (signal.aborted || !end.isDrained) {
    await killCarriers({ entries: Object.entries(leaseEntries(key, storeId)).map(([name, value]) => `${name}=${value}`), clock });
  }
  const { score, text } = output;
  if (end.unrunnable !== void 0) return { problem: `${end.unrunnable}.`, output: text };
  if (end.exitCode !== void 0) return { exitCode: end.exitCode, output: text, ...score !== void 0 && { score } };
  if (end.lost !== void 0) return { problem: `Nobody knows how ${program} ended: ${end.lost}.`, output: text };
  const because = end.because === void 0 ? "" : `: ${end.because}`;
  return { problem: `${program} was killed by ${end.signal ?? "a signal"}${because}.`, output: text };
}
async function startCheck(parts, command, starting) {
  const { root, folder } = command;
  if (!await isFolder(root)) return { problem: `Its workspace root ${root} is no folder.` };
  await mkdir2(artifactsFolder(folder), { recursive: true });
  const input = inputOf(folder);
  await rm(input, { recursive: true, force: true });
  await writeFile2(input, JSON.stringify(command.input, null, 2), { flag: "wx" });
  starting.signal.throwIfAborted();
  return parts.start({ ...starting, command, input, launch: launchOf(parts, command) });
}
function launchOf(parts, { key, storeId, program, args, root, folder, environment }) {
  return {
    program,
    args,
    cwd: root,
    environment: {
      ...inherited(parts.environment),
      ...environment,
      ...leaseEntries(key, storeId),
      FLOTILLA_FOLDER: folder,
      FLOTILLA_ARTIFACTS: artifactsFolder(folder),
      FLOTILLA_INPUT: inputOf(folder)
    }
  };
}
function inputOf(folder) {
  return join2(folder, "scorer-input.json");
}
async function isFolder(path) {
  const facts = await stat2(path).catch(() => void 0);
  return facts?.isDirectory() === true;
}

// src/transports/commands/command-outcome.ts
function outcomeOf(end, left) {
  if (end.unrunnable !== void 0) return finalFailure(end.unrunnable);
  if (end.lost !== void 0) return hostFailure(new Error(end.lost));
  if (end.exitCode === void 0) {
    const because = end.because === void 0 ? "" : `: ${end.because}`;
    return { type: "failed", failure_kind: "transport", reason: `killed by ${end.signal ?? "a signal"}${because}` };
  }
  if (end.exitCode !== 0) {
    const reason = `exit code ${end.exitCode}${left.recent === "" ? "" : `
${left.recent.trimEnd()}`}`;
    return { type: "failed", failure_kind: "task", reason, exit_code: end.exitCode, recoverable: true };
  }
  return {
    type: "result",
    exit_code: 0,
    ...left.summary === void 0 ? {} : { summary: left.summary },
    ...left.output === void 0 ? {} : { output: left.output },
    ...end.evidenceRoot === void 0 ? {} : { evidence_root: end.evidenceRoot }
  };
}
function finalFailure(reason) {
  return { type: "failed", failure_kind: "task", reason, recoverable: false };
}
function hostFailure(error) {
  return { type: "failed", failure_kind: "transport", reason: messageOf(error), recoverable: true };
}
function startFailure(program, error) {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const why = finalStartErrors[code];
  if (why !== void 0) return finalFailure(`cannot run ${program}: ${why} (${code})`);
  return hostFailure(new Error(`cannot run ${program}: ${messageOf(error)}`, { cause: error }));
}
var finalStartErrors = {
  ENOENT: "there is no such program, or the interpreter that it names is missing",
  EACCES: "it may not be executed",
  EPERM: "it may not be executed",
  ENOTDIR: "a part of its path is no folder",
  EISDIR: "it is a folder",
  ELOOP: "its path has too many links",
  ENOEXEC: "it is no program for this machine",
  E2BIG: "its arguments and environment are too long",
  ENAMETOOLONG: "its name is too long",
  ERR_INVALID_ARG_VALUE: "an argument or a variable of its environment has a NUL in it"
};
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

// src/transports/commands/command-sandbox.ts
import { mkdir as mkdir3, realpath } from "node:fs/promises";
import { dirname, join as join4, sep } from "node:path";

// src/transports/commands/special-files.ts
import { opendir } from "node:fs/promises";
import { join as join3 } from "node:path";
var mostEntries = 1e4;
async function findSpecialFile(folder, except = []) {
  let entries = 0;
  const waiting = [folder];
  for (let next = waiting.pop(); next !== void 0 && entries < mostEntries; next = waiting.pop()) {
    const opened = await opendir(next, { bufferSize: 256 }).catch(() => void 0);
    if (opened === void 0) continue;
    for await (const entry of opened) {
      entries += 1;
      const path = join3(next, entry.name);
      if (entry.isDirectory()) {
        if (!except.includes(path)) waiting.push(path);
      } else if (!entry.isFile() && !entry.isSymbolicLink()) return path;
      if (entries >= mostEntries) break;
    }
  }
  return void 0;
}

// src/transports/commands/command-sandbox.ts
async function planConfined(launch, options) {
  const { place: place2, confined, identity, sandbox } = options;
  if (Object.entries(launch.environment).flat().some((text) => text.includes("\0")))
    return { problem: "a variable of its environment has a NUL in it" };
  const root = await realpath(place2.root);
  const problem = rootProblem(root);
  if (problem !== void 0) return { problem };
  const hidden = (await existing(sandbox.hidden)).filter((path) => isInside(path, root) && path !== root);
  const special = await findSpecialFile(root, hidden);
  if (special !== void 0)
    return { problem: `${special} in its workspace is a socket, a fifo or a device, a way out of the sandbox` };
  const writable2 = [];
  for (const path of confined.writable_paths) {
    const found = await writablePath(root, path);
    if ("problem" in found) return found;
    writable2.push(found.path);
  }
  const { folder, input, readsArtifacts } = place2;
  const view = {
    ...{ root, writable: writable2, hidden, folder, input, readsArtifacts },
    system: sandbox.host.system,
    readable: await existing(sandbox.readable),
    artifacts: artifactsFolder(folder),
    folderBytes: sandbox.limits.folderBytes,
    temporaryBytes: sandbox.limits.temporaryBytes
  };
  const { program, args, environment } = launch;
  return { program, args, environment, identity, network: confined.network, view, limits: sandbox.limits };
}
async function writablePath(root, path) {
  const wanted = join4(root, path);
  const outside = { problem: `${path}, which it may write, leads out of its workspace ${root}` };
  for (let above = wanted; ; above = dirname(above)) {
    const real = await realpath(above).catch(() => void 0);
    if (real === void 0) continue;
    if (!isInside(real, root)) return outside;
    if (above === wanted) return { path: real };
    await mkdir3(wanted, { recursive: true });
    return { path: await realpath(wanted) };
  }
}
async function existing(paths) {
  const real = await Promise.all(paths.map((path) => realpath(path).catch(() => void 0)));
  return real.filter((path) => path !== void 0);
}
function isInside(path, folder) {
  return path === folder || path.startsWith(folder === sep ? sep : folder + sep);
}

// src/transports/commands/sandboxed-program.ts
import { constants } from "node:fs";
import { open } from "node:fs/promises";

// src/transports/commands/leaked-descriptors.ts
import { readdir, readFile } from "node:fs/promises";
var closeOnExec = 524288;
async function leakedDescriptors() {
  const names = await readdir("/proc/self/fd");
  const leaked = await Promise.all(
    names.map(Number).map(async (descriptor) => {
      const facts = await readFile(`/proc/self/fdinfo/${descriptor}`, "utf8").catch(() => void 0);
      const flags = /^flags:\s*([0-7]+)$/m.exec(facts ?? "")?.[1];
      return flags !== void 0 && (Number.parseInt(flags, 8) & closeOnExec) === 0 ? [descriptor] : [];
    })
  );
  return leaked.flat().filter((descriptor) => descriptor > 2);
}

// src/transports/commands/sandbox-leavings.ts
import { createReadStream, createWriteStream } from "node:fs";
import { lstat, mkdir as mkdir4, opendir as opendir2, readlink, symlink } from "node:fs/promises";
import { join as join5 } from "node:path";
import { pipeline } from "node:stream/promises";
async function takeLeavings(from, to, limits) {
  const taking = createTaking(limits);
  await taking.take(join5(from, "output.json"), join5(to, "output.json"), "output.json");
  const facts = await lstat(join5(from, "artifacts")).catch(() => void 0);
  if (facts?.isDirectory() === true) await taking.takeFolder(join5(from, "artifacts"), join5(to, "artifacts"), "artifacts");
  else if (facts !== void 0) taking.leave("artifacts", "it is no folder any more");
  return taking.notes();
}
function createTaking(limits) {
  const left = [];
  let [files, bytes, uncounted] = [0, 0, 0];
  const leave = (name, why) => {
    if (left.length < 20) left.push(`[${name} left out: ${why}]
`);
    else uncounted += 1;
  };
  async function take2(from, to, name) {
    const facts = await lstat(from).catch(() => void 0);
    if (facts === void 0) return;
    if (facts.isSymbolicLink()) return symlink(await readlink(from), to);
    if (!facts.isFile()) return leave(name, "it is neither a file nor a link");
    if (bytes + facts.size > limits.bytes) return leave(name, `with it there would be more than ${limits.bytes} bytes`);
    bytes += facts.size;
    await pipeline(createReadStream(from), createWriteStream(to, { flags: "wx", mode: 384 }));
  }
  async function takeFolder(from, to, name) {
    await mkdir4(to, { recursive: true });
    const entries = await opendir2(from).catch(() => void 0);
    if (entries === void 0) return leave(name, "it cannot be read");
    for await (const entry of entries) {
      files += 1;
      if (files > limits.files) return leave(name, `there are more than ${limits.files} files`);
      const places = [join5(from, entry.name), join5(to, entry.name), `${name}/${entry.name}`];
      await (entry.isDirectory() ? takeFolder(...places) : take2(...places)).catch((error) => {
        if (isOutOfRoom(error)) throw error;
        leave(places[2], String(error));
      });
    }
  }
  return {
    take: take2,
    takeFolder,
    leave,
    notes: () => [...left, ...uncounted > 0 ? [`[${uncounted} more left out]
`] : []]
  };
}
function isOutOfRoom(error) {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}

// src/transports/commands/sandboxed-program.ts
var startLimitMs = 1e4;
var endLimitMs = 2e3;
async function startSandboxed(launch, start) {
  const { host, clock } = start;
  const plan = sandboxPlan(launch, host);
  const budget = host.processGroups === void 0 ? void 0 : await createProcessBudget({ groups: host.processGroups, processes: launch.limits.processes, shell: host.shell, clock });
  let inside;
  const whole = [plan.program, ...plan.args];
  const [program = plan.program, ...args] = budget?.counted(whole) ?? whole;
  const asked = () => inside !== void 0 && isGroupAlive(inside.pid) ? inside.pid : void 0;
  const started = await startWithPipes({ program, args, cwd: "/", environment: plan.environment }, start, asked).catch(
    async (error) => {
      await budget?.close();
      throw error;
    }
  );
  const ended = started.ended.then(async (end) => {
    const gone = inside === void 0 || await untilEnded(inside, clock);
    await budget?.close();
    return { ...end, isDrained: end.isDrained && gone };
  });
  const giveUp = async (why) => {
    signalGroup(started.record.group, "SIGKILL");
    await ended;
    return why;
  };
  hand(started, plan, host);
  const facts = textOf(started.pipes[descriptors.facts], (text) => text.includes("}"));
  const said = await firstSaying(started, start);
  if (said === sayings.missing) return giveUp({ missing: true });
  if (said !== sayings.ready) return giveUp({ unbuilt: said });
  let folder;
  try {
    const { "child-pid": pid } = JSON.parse(await facts);
    inside = { pid, started: processFacts(pid)?.started ?? "" };
    folder = await open(
      `/proc/${pid}/root${launch.view.folder}`,
      constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
    );
  } catch (error) {
    return giveUp({ unbuilt: `its folder cannot be held: ${String(error)}` });
  }
  writable(started, descriptors.go).end("go\n");
  return {
    ...started,
    ended,
    takeLeavings: (to, { files }) => takeLeavings(`/proc/self/fd/${folder.fd}`, to, { files, bytes: launch.limits.folderBytes }),
    release: () => folder.close()
  };
}
async function startWithPipes(launch, start, asked) {
  const leaked = await leakedDescriptors();
  const nothing3 = await open("/dev/null", constants.O_RDWR);
  const own = Object.values(descriptors);
  const length = Math.max(...own, ...leaked) + 1;
  const beyond = Array.from({ length: length - 3 }, (_, index) => {
    if (own.some((descriptor) => descriptor === index + 3)) return "pipe";
    return leaked.includes(index + 3) ? nothing3.fd : "ignore";
  });
  try {
    return await startProgram(launch, { ...start, beyond, asked });
  } finally {
    await nothing3.close();
  }
}
function hand(started, plan, host) {
  const nul = "\0";
  writable(started, descriptors.options).end(plan.options.map((option) => option + nul).join(""));
  writable(started, descriptors.filter).end(seccompFilter(host.architecture));
  writable(started, descriptors.names).end(plan.names);
  writable(started, descriptors.go).on("error", () => {
  });
}
async function firstSaying(started, { clock, signal }) {
  const settled = new AbortController();
  const late = clock.sleep(startLimitMs, { signal: AbortSignal.any([settled.signal, signal]) }).then(() => signal.aborted ? "it was stopped" : `it did not come up within ${startLimitMs / 1e3} s`);
  const said = textOf(started.pipes[descriptors.said], (text) => text.includes("\n")).then(
    (text) => text.trim() || "bubblewrap could not build it"
  );
  try {
    return await Promise.race([said, late]);
  } finally {
    settled.abort();
  }
}
function textOf(pipe, isEnough) {
  return new Promise((resolve) => {
    let text = "";
    const readable2 = pipe;
    const done = () => resolve(text);
    readable2.on("data", (bytes) => {
      text += bytes.toString();
      if (isEnough(text)) done();
    }).on("end", done).on("close", done).on("error", done);
  });
}
function writable(started, descriptor) {
  return started.pipes[descriptor].on("error", () => {
  });
}
async function untilEnded(inside, clock) {
  for (let waitedMs = 0; waitedMs < endLimitMs; waitedMs += 5) {
    if (hasEnded(inside)) return true;
    signalGroup(inside.pid, "SIGKILL");
    await clock.sleep(5);
  }
  return hasEnded(inside);
}

// src/transports/commands/check-start.ts
function checkStart(parts) {
  const { clock, drainLimitMs: drainLimitMs2 } = parts;
  return async (order) => {
    const { command, launch, output } = order;
    if (command.confined !== void 0) return startConfined(parts, order, command.confined);
    const { stdout, stderr } = output;
    return startProgram(launch, { clock, drainLimitMs: drainLimitMs2, stdout, stderr }).catch((error) => {
      const failure = startFailure(launch.program, error);
      return { problem: failure.type === "failed" ? failure.reason : String(error) };
    });
  };
}
async function startConfined({ clock, drainLimitMs: drainLimitMs2, sandbox }, { command, input, launch, signal, output }, confined) {
  const { key, storeId, program, root, folder } = command;
  const available = sandbox();
  if (available === void 0) return { problem: `Nothing here can confine ${program}.` };
  const place2 = { root, folder, input, readsArtifacts: true };
  const identity = leaseEntries(key, storeId);
  const plan = await planConfined(launch, { place: place2, confined, identity, sandbox: available });
  if ("problem" in plan) return { problem: `${program} cannot run in a sandbox: ${plan.problem}.` };
  const { stdout, stderr } = output;
  const started = await startSandboxed(plan, { host: available.host, clock, drainLimitMs: drainLimitMs2, signal, stdout, stderr });
  if ("missing" in started)
    return { problem: `There is no program ${program} in the sandbox, which sees /usr and its workspace.` };
  return "unbuilt" in started ? { problem: `No sandbox for ${program}: ${started.unbuilt}.` } : started;
}

// src/transports/commands/command-leavings.ts
import { constants as constants2 } from "node:fs";
import { open as open2, readdir as readdir2, rm as rm2 } from "node:fs/promises";
import { join as join6, posix, sep as sep2 } from "node:path";
var outputLimitBytes = 1024 * 1024;
async function gatherLeavings(folder, { limit, keepOutput = true }) {
  const paths = (await listAll(artifactsFolder(folder))).toSorted();
  const outputPath = join6(folder, "output.json");
  const output = await readOutput(outputPath);
  if (!keepOutput) await rm2(outputPath, { force: true, recursive: true });
  const over = paths.length - limit - 1;
  return {
    artifacts: paths.slice(0, limit + 1).map((path) => ({ kind: kindOf(path), path: posix.join("artifacts", path) })),
    ...output.json === void 0 ? {} : { output: output.json },
    notes: [
      ...over > 0 ? [`[${over} more artifacts left out: an attempt may leave ${limit}]
`] : [],
      ...output.problem === void 0 ? [] : [`[output.json left out: ${output.problem}]
`]
    ]
  };
}
function kindOf(path) {
  const [first = path] = path.split("/");
  if (first !== path) return first;
  return first.split(".").find((part) => part !== "") ?? first;
}
async function listAll(folder) {
  const entries = await readdir2(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => !entry.isDirectory()).map(
    (entry) => join6(entry.parentPath, entry.name).slice(folder.length + 1).split(sep2).join("/")
  );
}
async function readOutput(path) {
  const file = await open2(path, constants2.O_RDONLY | constants2.O_NOFOLLOW | constants2.O_NONBLOCK).catch(
    (error) => error
  );
  if (file instanceof Error) return file.code === "ENOENT" ? {} : { problem: file.message };
  try {
    const facts = await file.stat();
    if (!facts.isFile()) return { problem: "it is no regular file" };
    if (facts.size > outputLimitBytes) return { problem: `it is larger than ${outputLimitBytes} bytes` };
    const { value, problems } = copyJson(JSON.parse(await file.readFile("utf8")));
    return problems.length === 0 && value !== void 0 ? { json: value } : { problem: "it has a key `__proto__`, or is nested too deep" };
  } catch (error) {
    return { problem: String(error) };
  } finally {
    await file.close();
  }
}

// src/transports/commands/command-attempt.ts
var firstRoomWaitMs = 100;
var longestRoomWaitMs = 5e3;
function runCommand(parts) {
  const { assign, limits, send } = parts;
  const key = { run_id: assign.run_id, task_id: assign.task_id, attempt: assign.attempt };
  const controller = new AbortController();
  const { signal } = controller;
  const output = createCommandOutput({
    ...limits,
    unread: parts.unread,
    send: (text) => send({ ...key, type: "log", text }),
    redactor: parts.redactor
  });
  const reports = createReportChannel((report, content) => send({ ...key, type: "artifact", report, ...content }));
  let program;
  let graceMs = limits.termToKillMs;
  const work = async () => {
    const started = await startCommand(parts, signal, output);
    if ("type" in started) return started;
    program = started;
    send({ ...key, type: "accepted", ...program.record !== void 0 && { process: program.record } });
    if (signal.aborted) program.terminate(graceMs);
    const end = await program.ended;
    output.end();
    const mayHaveEscaped = signal.aborted || !end.isDrained;
    if (mayHaveEscaped && !await killEscaped(parts)) return void 0;
    if (end.isLeft === true) return void 0;
    signal.throwIfAborted();
    if ("takeLeavings" in started) (await takeOut(parts, started)).forEach(output.note);
    return outcomeOf(end, {
      output: await collectLeavings(parts, { signal, reports, output }),
      summary: output.summary,
      recent: output.recent
    });
  };
  const run2 = async () => {
    await Promise.resolve();
    const outcome = await work().catch(hostFailure);
    if (program !== void 0 && "release" in program) await program.release();
    if (outcome !== void 0) send(signal.aborted ? { ...key, type: "stopped" } : { ...key, ...outcome });
  };
  return {
    collected: reports.collected,
    handBack: (grace) => program?.terminate(grace),
    stop({ code, reason, grace_ms }) {
      graceMs = Math.min(grace_ms, limits.termToKillMs);
      const why = new FleetError(code, reason);
      controller.abort(why);
      reports.end(why);
      program?.terminate(graceMs);
    },
    done: run2()
  };
}
async function startCommand(parts, signal, output) {
  const { assign, start } = parts;
  const launch = planLaunch(assign, parts);
  if ("problem" in launch) return finalFailure(`cannot run the command: ${launch.problem}`);
  const unprepared = await prepareWithRoom(parts, signal);
  if (unprepared !== void 0) return finalFailure(`cannot run ${launch.program}: ${unprepared.problem}`);
  signal.throwIfAborted();
  return start({ assign, launch, signal, output });
}
function takeOut({ assign, limits }, program) {
  return program.takeLeavings(assign.folder, { files: limits.artifactLimit + 2 });
}
async function prepareWithRoom({ assign, clock }, signal) {
  for (let waitMs = firstRoomWaitMs; ; waitMs = Math.min(waitMs * 2, longestRoomWaitMs)) {
    try {
      return await prepareFolder(assign);
    } catch (error) {
      if (!isFullDisk(error)) throw error;
    }
    await clock.sleep(waitMs, { signal, keepAlive: true });
    signal.throwIfAborted();
  }
}
async function collectLeavings({ assign, limits }, { signal, reports, output }) {
  const keepOutput = assign.secrets === void 0;
  const leavings = await gatherLeavings(assign.folder, { limit: limits.artifactLimit, keepOutput });
  leavings.notes.forEach(output.note);
  for (const artifact of leavings.artifacts) {
    await reports.report(artifact).catch((refusal2) => {
      signal.throwIfAborted();
      output.note(`[artifact ${artifact.path} refused: ${refusal2 instanceof Error ? refusal2.message : String(refusal2)}]
`);
    });
  }
  return leavings.output;
}
function killEscaped({ assign, storeId, clock }) {
  const entries = Object.entries(leaseEntries(assign, storeId)).map(([name, value]) => `${name}=${value}`);
  return killCarriers({ entries, clock }).then(
    () => true,
    () => false
  );
}

// src/transports/commands/command-channel.ts
function createCommandChannel(launch, parts) {
  const messages = createMessageChannel(weigh);
  const running = /* @__PURE__ */ new Map();
  let announceEnd;
  const closed = new Promise((resolve) => announceEnd = resolve);
  let closing;
  const receive = (message) => {
    const name = attemptId(message);
    const command = running.get(name);
    if (message.type === "stop") return command?.stop(message);
    if (message.type === "collected") return command?.collected(message);
    if (message.type === "hand_back") return command?.handBack(message.grace_ms);
    if (command !== void 0 || closing !== void 0) return;
    const started = runCommand({
      ...parts,
      redactor: parts.redactor?.(),
      assign: message,
      storeId: launch.storeId,
      unread: () => messages.backlog,
      send: messages.push
    });
    running.set(name, started);
    void started.done.then(() => running.delete(name));
  };
  const finish = async (reason) => {
    await Promise.all([...running.values()].map((command) => command.done));
    messages.end();
    announceEnd({ reason, asked: true });
  };
  const close = ({ reason, graceMs }) => {
    for (const command of running.values()) command.stop({ code: "fleet_closed", reason, grace_ms: graceMs });
    return closing ??= finish(reason);
  };
  const lose = async (reason) => {
    if (closing === void 0) {
      closing = Promise.resolve();
      messages.end();
      announceEnd({ reason, asked: false });
    }
    for (const command of running.values()) command.stop({ code: "lease_lost", reason, grace_ms: 0 });
    await Promise.all([...running.values()].map((command) => command.done));
  };
  messages.push({ type: "hello", worker_id: launch.workerId, incarnation: launch.incarnation, attempts: [] });
  return { send: receive, messages, closed, close, lose };
}
function weigh(message) {
  return message.type === "log" ? message.text.length : 0;
}

// src/transports/commands/command-start.ts
function commandStart(parts) {
  const { clock, drainLimitMs: drainLimitMs2 } = parts;
  return async (order) => {
    const { assign, launch, output } = order;
    if (assign.confined !== void 0) return startConfined2(parts, order, assign.confined);
    return startProgram(launch, { clock, drainLimitMs: drainLimitMs2, stdout: output.stdout, stderr: output.stderr }).catch(
      (error) => startFailure(launch.program, error)
    );
  };
}
async function startConfined2({ storeId, clock, drainLimitMs: drainLimitMs2, sandbox }, { assign, launch, signal, output }, confined) {
  const available = sandbox();
  if (available === void 0) return finalFailure(`cannot run ${launch.program}: nothing here can confine it`);
  const identity = leaseEntries(assign, storeId);
  const { root, folder } = assign;
  const place2 = { root, folder, input: inputPath(folder), readsArtifacts: false };
  const plan = await planConfined(launch, { place: place2, confined, identity, sandbox: available });
  if ("problem" in plan) return finalFailure(`cannot run ${launch.program} in a sandbox: ${plan.problem}`);
  const { stdout, stderr } = output;
  const started = await startSandboxed(plan, { host: available.host, clock, drainLimitMs: drainLimitMs2, signal, stdout, stderr });
  if ("missing" in started) {
    return finalFailure(
      `cannot run ${launch.program}: there is no such program in the sandbox, which sees /usr and its workspace`
    );
  }
  if ("unbuilt" in started)
    return hostFailure(new Error(`no sandbox for ${launch.program}: ${started.unbuilt}
${output.recent}`));
  return started;
}

// src/transports/commands/local-commands.ts
function localCommands(options) {
  const { clock, environment, redactor, sandbox = {}, hidden = [], probe, ...given } = options;
  const { readable: readable2 = [], ...bounds } = sandbox;
  const limits = { ...commandLimits, ...given };
  const { termToKillMs: termToKillMs2, drainLimitMs: drainLimitMs2 } = limits;
  const sandboxHere = () => {
    const found = probe();
    return "host" in found ? { host: found.host, limits: { ...sandboxLimits, ...bounds }, readable: readable2, hidden } : void 0;
  };
  const common = { clock, drainLimitMs: drainLimitMs2, sandbox: sandboxHere };
  return {
    async open(launch, { signal }) {
      signal.throwIfAborted();
      const start = commandStart({ storeId: launch.storeId, ...common });
      return createCommandChannel(launch, { clock, environment, redactor, limits, start });
    },
    check: (command, how) => runCheck({ clock, environment, redactor, termToKillMs: termToKillMs2, start: checkStart(common) }, command, how)
  };
}

// src/transports/containers/container-client.ts
var patienceMs = 15e3;
var longestAnswer = 256 * 1024;
var removals = 3;
function createContainerClient(host, clock) {
  const ask = (args, bounds = {}) => answerOf({ host, clock, args, limitMs: bounds.limitMs ?? patienceMs, signal: bounds.signal });
  async function removed(name) {
    const { exitCode, stderr } = await ask(["rm", "--force", "--volumes", ...removal[host.runtime], name]);
    return exitCode === 0 || isUnknown(stderr);
  }
  return {
    host,
    async state(name) {
      const answer = await ask(["inspect", "--type", "container", "--format", stateFormat, name]);
      if (answer.exitCode === 0) return stateOf(answer.stdout);
      if (isUnknown(answer.stderr)) return void 0;
      throw new Error(`${host.runtime} does not tell of ${name}: ${answer.stderr.trim()}`);
    },
    async signal(name, signal) {
      const answer = await ask(["kill", "--signal", signal, name]).catch(() => void 0);
      return answer?.exitCode === 0;
    },
    async remove(name) {
      for (let tried = 0; tried < removals; tried += 1) if (await removed(name).catch(() => false)) return true;
      return false;
    },
    async named(labels) {
      const filters = Object.entries(labels).flatMap(([key, value]) => ["--filter", `label=${key}=${value}`]);
      const { exitCode, stdout, stderr } = await ask(["ps", "--all", "--no-trunc", "--format", "{{.Names}}", ...filters]);
      if (exitCode !== 0) throw new Error(`${host.runtime} does not list its containers: ${stderr.trim()}`);
      return stdout.split("\n").filter((line) => line !== "");
    },
    hasImage: async (image) => (await ask(["image", "inspect", "--format", "{{.Id}}", "--", image])).exitCode === 0,
    async pull(image, bounds) {
      const { exitCode, stderr } = await ask(["pull", "--quiet", "--", image], bounds);
      return exitCode === 0 ? void 0 : stderr.trim() || `it ended with ${exitCode ?? "a signal"}`;
    }
  };
}
async function reapContainers(client, { storeId, worker }) {
  const left = await client.named({ [labelNames.store]: storeId, ...worker !== void 0 && { [labelNames.worker]: worker } });
  const gone = await Promise.all(left.map((name) => client.remove(name)));
  const staying = left.filter((_, index) => gone[index] === false);
  if (staying.length > 0) throw new Error(`Containers of an earlier fleet cannot be removed: ${staying.join(", ")}`);
}
var stateFormat = "{{.State.Running}} {{.State.OOMKilled}} {{.State.StartedAt}}";
function stateOf(answer) {
  const [running, outOfMemory, started = ""] = answer.trim().split(" ");
  return { isRunning: running === "true", isOutOfMemory: outOfMemory === "true", hasStarted: !started.startsWith("0001-") };
}
var removal = { docker: [], podman: ["--time", "0"] };
function isUnknown(said) {
  return /no such (container|object)|no container with (name|id)/i.test(said);
}
async function answerOf(question) {
  const { host, clock, args, limitMs, signal } = question;
  const [stdout, stderr] = [textKeeper(), textKeeper()];
  const { program, environment } = host;
  const client = await startProgram(
    { program, args, cwd: "/", environment },
    { clock, drainLimitMs: 1e3, stdout: stdout.write, stderr: stderr.write }
  );
  const ended = new AbortController();
  let isLate = false;
  const waits = AbortSignal.any([ended.signal, ...signal === void 0 ? [] : [signal]]);
  void clock.sleep(limitMs, { signal: waits }).then(() => {
    if (ended.signal.aborted) return;
    isLate = true;
    client.terminate(0);
  });
  const { exitCode } = await client.ended;
  ended.abort();
  signal?.throwIfAborted();
  if (isLate) throw new Error(`${host.runtime} did not answer within ${limitMs / 1e3} s`);
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}
function textKeeper() {
  const decoder = new TextDecoder();
  let text = "";
  return {
    write(bytes) {
      if (text.length < longestAnswer) text += decoder.decode(bytes, { stream: true });
    },
    text: () => text
  };
}

// src/transports/containers/container-images.ts
var pullLimitMs = 10 * 6e4;
function createImageKeeper(client, image, policy) {
  let isThere = false;
  return async (signal) => {
    if (isThere) return void 0;
    if (policy !== "always" && await client.hasImage(image)) {
      isThere = true;
      return void 0;
    }
    if (policy === "never") return `the image ${image} is not on this machine, and is not to be fetched`;
    const problem = await client.pull(image, { limitMs: pullLimitMs, signal });
    isThere = problem === void 0;
    return problem === void 0 ? void 0 : `the image ${image} cannot be fetched: ${problem}`;
  };
}

// src/transports/containers/container-run.ts
import { createHash } from "node:crypto";

// src/transports/containers/container-place.ts
import { chmod as chmod2, mkdir as mkdir6, realpath as realpath2, writeFile as writeFile3 } from "node:fs/promises";
import { join as join8, relative } from "node:path";

// src/transports/containers/container-user.ts
import { lchown, stat as stat3 } from "node:fs/promises";
var nobody = { uid: 65534, gid: 65534 };
function fleetUser() {
  const uid = process.getuid?.() ?? 0;
  return uid === 0 ? void 0 : { uid, gid: process.getgid?.() ?? uid };
}
async function containerUser(folder) {
  const own = fleetUser();
  if (own !== void 0) return own;
  const { uid, gid } = await stat3(folder);
  return uid === 0 || gid === 0 ? nobody : { uid, gid };
}
async function accessProblem({ uid, gid }, folder) {
  const facts = await stat3(folder);
  const shift = facts.uid === uid ? 6 : facts.gid === gid ? 3 : 0;
  if ((facts.mode >> shift & 5) === 5) return void 0;
  return `its workspace root ${folder} cannot be read by the user ${uid}, whom its containers run as. Let it, or name another user`;
}
async function giveTo({ uid, gid }, paths) {
  if (process.getuid?.() !== 0) return;
  for (const path of paths) await lchown(path, uid, gid);
}

// src/transports/containers/memory-folder.ts
import { chmod, mkdir as mkdir5, mkdtemp, readdir as readdir3, rm as rm3 } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as join7 } from "node:path";
var place = process.platform === "linux" ? "/dev/shm" : tmpdir();
async function createMemoryFolder(storeId) {
  const around = await mkdtemp(join7(place, prefixOf(storeId)));
  await chmod(around, 457);
  const path = join7(around, "folder");
  await mkdir5(path, { mode: 448 });
  return { path, beside: (name) => join7(around, name), remove: () => rm3(around, { recursive: true, force: true }) };
}
async function removeMemoryFolders(storeId) {
  const names = await readdir3(place).catch(() => []);
  const left = names.filter((name) => name.startsWith(prefixOf(storeId)));
  await Promise.all(left.map((name) => rm3(join7(place, name), { recursive: true, force: true })));
}
function prefixOf(storeId) {
  return `flotilla-${storeId.replaceAll(/[^A-Za-z0-9._-]/g, "_")}-`;
}

// src/security/seccomp/profile.ts
function seccompProfile() {
  const refused = refusedCalls.map(({ errno, calls }) => refusal(Object.keys(calls), errno, []));
  const judged = Object.entries(judgedCalls).flatMap(
    ([name, call]) => conditionsOf(call).map((args) => refusal([name], call.errno, args))
  );
  return { defaultAction: "SCMP_ACT_ALLOW", syscalls: [...refused, ...judged] };
}
function refusal(names, errnoRet, args) {
  return { names, action: "SCMP_ACT_ERRNO", errnoRet, args };
}
function conditionsOf({ argument, mask, values, are, when }) {
  const refused = are === "refused" ? values.map((value) => bits(argument, mask, value)) : othersThan(values, mask).map((one) => bits(argument, ...one));
  if (when === void 0) return refused.map((one) => [one]);
  return bitsOf(when.mask).flatMap((bit) => refused.map((one) => [bits(when.argument, bit, bit), one]));
}
function othersThan(values, mask) {
  if (values.includes(allOnes)) return ringOf(bitsOf(mask)).map(([one, zero]) => [unsigned(one | zero), one]);
  const width = Math.max(...values.map((value) => 32 - Math.clz32(value)));
  const low = mask & 2 ** width - 1;
  const near = Array.from({ length: 2 ** width }, (_, value) => value).filter(
    (value) => (value & ~low) === 0 && !values.includes(value)
  );
  const far = bitsOf(mask).filter((bit) => (bit & low) === 0);
  return [...near.map((value) => [low, value]), ...far.map((bit) => [bit, bit])];
}
var allOnes = 4294967295;
function bitsOf(mask) {
  return Array.from({ length: 32 }, (_, index) => unsigned(1 << index)).filter((bit) => unsigned(mask & bit) !== 0);
}
function ringOf(all) {
  return all.map((bit, index) => [bit, all[(index + 1) % all.length] ?? bit]);
}
function bits(index, mask, value) {
  return { index, value: mask, valueTwo: value, op: "SCMP_CMP_MASKED_EQ" };
}
function unsigned(value) {
  return value >>> 0;
}

// src/transports/containers/container-place.ts
async function prepareContainerPlace(work) {
  const { confined, folder } = work;
  const root = await realpath2(work.root);
  const hidden = (await existing(work.hidden)).filter((path) => isInside(path, root) && path !== root);
  const problem = rootProblem(root) ?? [root, folder, ...hidden].map(mountProblem).find((one) => one !== void 0);
  if (problem !== void 0) return { problem };
  if (confined !== void 0) {
    const special = await findSpecialFile(root, hidden);
    if (special !== void 0)
      return { problem: `${special} in its workspace is a socket, a fifo or a device, a way out of the container` };
  }
  const writable2 = await writableIn(root, work);
  if ("problem" in writable2) return writable2;
  const user = work.user ?? await containerUser(root);
  const denied = user.uid === 0 ? void 0 : await accessProblem(user, root);
  if (denied !== void 0) return { problem: denied };
  const scratch = await createMemoryFolder(work.storeId);
  const own = confined === void 0 ? folder : scratch.path;
  const filter = confined === void 0 ? void 0 : scratch.beside("seccomp.json");
  if (confined !== void 0) await mkdir6(artifactsFolder(own));
  if (filter !== void 0) await writeFile3(filter, JSON.stringify(seccompProfile()));
  await giveTo(user, [own, artifactsFolder(own)]);
  await chmod2(work.input, 420);
  const mounts = [
    { source: root, target: root, writable: writable2.paths.includes(root) },
    ...writable2.paths.filter((path) => path !== root).map((path) => ({ source: path, target: path, writable: true })),
    ...await Promise.all(hidden.map((path, index) => covered(path, scratch.beside(`hidden-${index}`), folder))),
    { source: own, target: folder, writable: true },
    { source: work.input, target: work.input, writable: false },
    ...confined !== void 0 && work.readsArtifacts ? [{ source: artifactsFolder(folder), target: artifactsFolder(folder), writable: false }] : []
  ];
  return { mounts, user, root, scratch, filter, leavings: confined === void 0 || work.readsArtifacts ? void 0 : own };
}
async function covered(hidden, empty, folder) {
  await mkdir6(isInside(folder, hidden) ? join8(empty, relative(hidden, folder)) : empty, { recursive: true });
  return { source: empty, target: hidden, writable: false };
}
async function writableIn(root, { confined, writablePaths }) {
  const asked = confined?.writable_paths ?? (writablePaths.length > 0 ? writablePaths : ["."]);
  const paths = [];
  for (const path of asked) {
    const found = await writablePath(root, path);
    if ("problem" in found) return found;
    const problem = mountProblem(found.path);
    if (problem !== void 0) return { problem };
    paths.push(found.path);
  }
  return { paths: [...new Set(paths)] };
}

// src/transports/containers/container-run.ts
async function runInContainer(work, parts) {
  const { launch, signal, secrets } = work;
  const { client, clock, startLimitMs: startLimitMs2, drainLimitMs: drainLimitMs2 } = parts;
  const { image } = parts.terms;
  const problem = wordsProblem([launch.program, ...launch.args, ...Object.values(launch.environment)]);
  if (problem !== void 0) return { problem };
  const unfetched = await parts.fetch(signal);
  if (unfetched !== void 0) return { unstarted: unfetched };
  const place2 = await prepareContainerPlace({ ...work.place, user: parts.terms.user });
  if ("problem" in place2) return place2;
  const release = () => place2.scratch.remove();
  try {
    signal.throwIfAborted();
    const { environment, ...planned } = containerLaunch(work, place2, parts.terms);
    const { stdout, stderr } = work;
    const started = await startContainer(planned, {
      ...{ client, clock, environment, startLimitMs: startLimitMs2, drainLimitMs: drainLimitMs2, stdout, stderr },
      ...planned.hasInput && { input: handOver(secrets) }
    });
    const where = (why) => `cannot run ${launch.program} in a container of ${image}: ${why}`;
    const told2 = started.ended.then((end) => ({
      ...end,
      ...end.unrunnable !== void 0 && { unrunnable: where(end.unrunnable) },
      ...end.lost !== void 0 && { lost: where(end.lost) }
    }));
    return { ...started, ended: told2, release, takeLeavings: takingFrom(place2, work.place.folder) };
  } catch (error) {
    await release();
    throw error;
  }
}
function containerLaunch({ owner, place: { folder, confined }, launch, named, secrets }, place2, terms) {
  const isNamed = (name) => named.includes(name);
  const entries = Object.entries(launch.environment);
  const command = [launch.program, ...launch.args];
  const hasSecrets = Object.keys(secrets).length > 0;
  return {
    name: containerName(owner),
    labels: labelsOf(owner),
    image: terms.image,
    command: hasSecrets ? ["/bin/sh", "-c", gate, "flotilla", ...command] : command,
    replacesProgram: true,
    network: confined?.network === false ? "none" : terms.network,
    user: `${place2.user.uid}:${place2.user.gid}`,
    folder: place2.root,
    mounts: [...terms.readable.map((path) => ({ source: path, target: path, writable: false })), ...place2.mounts],
    filter: place2.filter,
    variables: { ...Object.fromEntries(entries.filter(([name]) => !isNamed(name))), HOME: folder, TMPDIR: "/tmp" },
    named,
    hasInput: hasSecrets,
    limits: terms.limits,
    environment: Object.fromEntries(entries.filter(([name]) => isNamed(name)))
  };
}
function containerName({ storeId, worker, incarnation, kind, number }) {
  const whose = createHash("sha256").update([storeId, worker, incarnation, kind].join("\0")).digest("hex").slice(0, 24);
  return `flotilla-${whose}-${kind}-${number}`;
}
function labelsOf({ storeId, worker, incarnation, kind, key }) {
  return {
    [labelNames.store]: storeId,
    [labelNames.worker]: worker,
    [labelNames.incarnation]: incarnation,
    [labelNames.kind]: kind,
    ...key !== void 0 && { [labelNames.attempt]: `${key.run_id}/${key.task_id}/${key.attempt}` }
  };
}
var gate = [
  "said=",
  'while IFS= read -r line; do said="$said$line',
  '"; done',
  'eval "$said"',
  "unset said line",
  'command -v -- "$1" >/dev/null || { echo "[flotilla] exec failed: there is no $1" >&2; exit 127; }',
  'exec "$@" </dev/null'
].join("\n");
function handOver(secrets) {
  const lines = Object.entries(secrets).map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'
`);
  return (input) => input.end(lines.join(""));
}
function takingFrom({ leavings }, folder) {
  return async (_to, { files }) => leavings === void 0 ? [] : takeLeavings(leavings, folder, { files, bytes: memoryLeavings });
}
var memoryLeavings = 256 * 1024 ** 2;

// src/transports/containers/commands-in-containers.ts
function commandsInContainers(options) {
  const { clock, redactor, hidden = [], image, pull = "missing", startLimitMs: startLimitMs2 = 3e4 } = options;
  const bounds = limitsOf(options);
  const terms = termsOf(options);
  let parts;
  const required = () => {
    if (parts !== void 0) return parts;
    const probed = options.probe();
    if ("missing" in probed) throw new Error(`No containers can be run here: ${probed.missing}.`);
    const client = createContainerClient(probed.host, clock);
    const { drainLimitMs: drainLimitMs2 } = bounds;
    return parts = { terms, client, clock, startLimitMs: startLimitMs2, drainLimitMs: drainLimitMs2, fetch: createImageKeeper(client, image, pull) };
  };
  const nothing3 = { get: () => void 0 };
  let number = 0;
  return {
    check(checked, how) {
      const start = async ({ command, input, launch, signal, output }) => {
        const { key, storeId, worker, root, folder, confined, writablePaths = [] } = command;
        const { stdout, stderr } = output;
        const started = await runInContainer(
          {
            owner: { storeId, worker, incarnation: "checks", kind: "check", number: number += 1, key },
            place: { storeId, root, folder, input, readsArtifacts: true, confined, writablePaths, hidden },
            ...{ launch, named: Object.keys(command.environment), secrets: {}, signal, stdout, stderr }
          },
          required()
        );
        return "ended" in started ? started : { problem: `${launch.program} cannot run in a container: ${told(started)}.` };
      };
      return runCheck({ clock, redactor, termToKillMs: bounds.termToKillMs, environment: nothing3, start }, checked, how);
    },
    async open(launch, { signal }) {
      signal.throwIfAborted();
      const { storeId, workerId: worker, incarnation } = launch;
      const there = required();
      await reapContainers(there.client, { storeId, worker });
      signal.throwIfAborted();
      return createCommandChannel(launch, {
        ...{ clock, environment: nothing3, redactor, limits: bounds },
        async start({ assign, launch: planned, signal: stopped, output }) {
          const { root, folder, confined, secrets = {}, run_id, task_id, attempt } = assign;
          const { stdout, stderr } = output;
          const key = { run_id, task_id, attempt };
          const isSecret = (name) => Object.hasOwn(secrets, name);
          const open4 = Object.fromEntries(Object.entries(planned.environment).filter(([name]) => !isSecret(name)));
          const writablePaths = assign.task.workspace?.writable_paths ?? [];
          const started = await runInContainer(
            {
              owner: { storeId, worker, incarnation, kind: "attempt", number: number += 1, key },
              place: {
                ...{ storeId, root, folder, confined, writablePaths, hidden },
                input: inputPath(folder),
                readsArtifacts: false
              },
              launch: { ...planned, environment: open4 },
              ...{ named: Object.keys(assign.environment).filter((name) => !isSecret(name)), secrets },
              ...{ signal: stopped, stdout, stderr }
            },
            there
          );
          if ("ended" in started) return started;
          const reason = `cannot run ${planned.program} in a container of ${image}: ${told(started)}`;
          return "unstarted" in started ? hostFailure(new Error(reason)) : finalFailure(reason);
        }
      });
    },
    async reap(storeId) {
      await reapContainers(required().client, { storeId });
      await removeMemoryFolders(storeId);
    }
  };
}
function limitsOf(options) {
  const { termToKillMs: termToKillMs2, drainLimitMs: drainLimitMs2, lineLimit: lineLimit6, unreadLimit: unreadLimit2, artifactLimit } = { ...commandLimits, ...options };
  return { termToKillMs: termToKillMs2, drainLimitMs: drainLimitMs2, lineLimit: lineLimit6, unreadLimit: unreadLimit2, artifactLimit };
}
function told(why) {
  return "problem" in why ? why.problem : why.unstarted;
}

// src/transports/programs/member-work.ts
function workOn(message) {
  return { key: attemptKey(message), hasAccepted: false, isStopping: false, last: void 0, disarm: void 0 };
}
function isOf(work, key) {
  return work.key.attempt === key.attempt && work.key.task_id === key.task_id && work.key.run_id === key.run_id;
}
function endOf2({ key, isStopping }, reason, printed) {
  if (isStopping) return { type: "stopped", ...key };
  const quoted = printed.trim();
  return {
    type: "failed",
    ...key,
    failure_kind: "transport",
    reason: `Its worker was lost: ${reason}.${quoted === "" ? "" : ` It printed: ${quoted}`}`
  };
}
function taskOf({ run_id, task_id }) {
  return `${run_id}/${task_id}`;
}

// src/transports/programs/pool-member.ts
async function startMember(parts, order) {
  const { launcher, launch, clock, files } = parts;
  let printed = "";
  let isUp = false;
  const log = (text) => {
    if (isUp) order.log(text);
    else printed = (printed + text).slice(-quotedChars);
  };
  const started = await launcher.start({ launch, confined: order.confined, log, signal: order.signal });
  try {
    const greeting = await greet(started.connection, { clock, helloTimeoutMs: parts.startTimeoutMs, signal: order.signal });
    requireFit(greeting, parts);
    isUp = true;
    return {
      channel: openSession(greeting, { launch, clock, files, sharesFiles: launcher.sharesFiles }),
      started,
      confinement: confinementOf(order.confined),
      work: void 0,
      isLeaving: false
    };
  } catch (error) {
    await started.stop(0);
    const reason = error instanceof Error ? error.message : String(error);
    throw new FleetError("invalid_message", printed.trim() === "" ? reason : `${reason} It printed: ${printed.trim()}`);
  }
}
var quotedChars = 2e3;
function requireFit({ hello, line }, { launch, handlers }) {
  const refuse = (code, reason) => {
    line.refuse(code, reason);
    throw new FleetError("invalid_message", reason);
  };
  if (hello.worker_id !== void 0 && hello.worker_id !== launch.workerId) {
    refuse(
      "unknown_worker",
      `The program says that it is the worker ${hello.worker_id}, but it was started as ${launch.workerId}.`
    );
  }
  const missing = handlers.filter((name) => hello.handlers !== void 0 && !hello.handlers.includes(name));
  if (missing.length > 0) {
    refuse("unknown_handler", `The program does not serve ${missing.join(", ")}, which its worker is registered for.`);
  }
}
function confinementOf(confined) {
  return confined === void 0 ? "" : JSON.stringify(confined);
}

// src/transports/programs/pool.ts
var unreadLimit = 4 * 1048576;
var backoffMs = { first: 500, most: 3e4 };
var leaveMs = 2e3;
function createPool(launch, parts) {
  const { launcher, clock, files, handlers = [], reuse = true, startTimeoutMs = 3e4 } = parts;
  const messages = createMessageChannel(weigh2);
  const members = /* @__PURE__ */ new Set();
  const starting = /* @__PURE__ */ new Map();
  let ahead;
  const startingAhead = new AbortController();
  let failures = 0;
  const lostUnbegun = /* @__PURE__ */ new Set();
  let announceEnd;
  const closed = new Promise((resolve) => announceEnd = resolve);
  let closing;
  const memberOf = (key) => {
    for (const member of members) if (member.work !== void 0 && isOf(member.work, key)) return member;
    return void 0;
  };
  async function start(confined, signal) {
    const output = createOutputLog({
      limit: unreadLimit,
      unread: () => messages.backlog,
      send: (text) => printed(text)
    });
    let printed = () => void 0;
    const member = await startMember(
      { launcher, launch, clock, files, handlers, startTimeoutMs },
      { confined, log: output.write, signal }
    );
    printed = (text) => member.work !== void 0 && messages.push({ type: "log", ...member.work.key, text });
    members.add(member);
    void listen(member, () => output.recent);
    return member;
  }
  async function listen(member, recent) {
    for await (const message of member.channel.messages) {
      if (message.type === "drain") member.isLeaving = true;
      else if (message.type !== "hello") hear(member, message);
    }
    await lost(member, (await member.channel.closed).reason, recent());
  }
  function hear(member, message) {
    const { work } = member;
    if (work === void 0 || !isOf(work, message) || work.last !== void 0) return deny(member, message);
    if (message.type === "accepted") {
      work.hasAccepted = true;
      lostUnbegun.delete(taskOf(message));
      const { process: process2 } = member.started;
      return messages.push(process2 === void 0 ? message : { ...message, process: process2 });
    }
    if (message.type !== "result" && message.type !== "failed" && message.type !== "stopped") return messages.push(message);
    work.disarm?.();
    if (reuse && !member.isLeaving) {
      member.work = void 0;
      messages.push(message);
      return;
    }
    work.last = message;
    member.isLeaving = true;
    void leave(member);
  }
  function deny(member, { type, run_id, task_id, attempt }) {
    if (type === "result" || type === "failed" || type === "stopped") return;
    const reason = "This program was not given this attempt.";
    member.channel.send({ type: "stop", run_id, task_id, attempt, code: "lease_lost", reason, grace_ms: 0 });
  }
  async function leave(member, graceMs = leaveMs) {
    await Promise.all([member.channel.close({ reason: "it has done its work", graceMs }), member.started.stop(graceMs)]);
  }
  async function lost(member, reason, printed) {
    await member.started.stop(0);
    members.delete(member);
    const { work } = member;
    member.work = void 0;
    if (work === void 0) return;
    work.disarm?.();
    if (work.last !== void 0) return messages.push(work.last);
    const task = taskOf(work.key);
    const again = lostUnbegun.delete(task);
    if (work.hasAccepted || work.isStopping || again) messages.push(endOf2(work, reason, printed));
    else {
      lostUnbegun.add(task);
      messages.push({ type: "stopped", ...work.key, released: `its worker was lost before it began: ${reason}` });
    }
  }
  function assign(message) {
    const name = attemptId(message);
    if (closing !== void 0 || starting.has(name) || memberOf(message) !== void 0) return;
    const fit = idleFor(message);
    if (fit !== void 0) return give(fit, message);
    const other = members.size + starting.size >= launch.slots ? idle()[0] : void 0;
    if (other !== void 0) other.isLeaving = true;
    const given = new AbortController();
    starting.set(name, given);
    void startFor(message, given.signal, other).finally(() => starting.delete(name));
  }
  async function startFor(message, signal, leaving) {
    try {
      if (leaving !== void 0) await leave(leaving);
      const member = await takeAhead(message) ?? await start(message.confined, signal);
      failures = 0;
      if (signal.aborted) {
        member.work = void 0;
        messages.push({ type: "stopped", ...attemptKey(message) });
        if (!reuse) await leave(member);
      } else give(member, message);
    } catch (error) {
      if (signal.aborted) return messages.push({ type: "stopped", ...attemptKey(message) });
      failures += 1;
      await clock.sleep(Math.min(backoffMs.most, backoffMs.first * 2 ** (failures - 1)), { signal, keepAlive: false });
      const released = `its worker could not be started: ${error instanceof Error ? error.message : String(error)}`;
      messages.push({ type: "stopped", ...attemptKey(message), ...!signal.aborted && { released } });
    }
  }
  function idle() {
    return [...members].filter((member) => member.work === void 0 && !member.isLeaving);
  }
  function idleFor({ confined }) {
    const confinement = confinementOf(confined);
    return idle().find((member) => member.confinement === confinement);
  }
  function give(member, message) {
    member.work = workOn(message);
    member.channel.send(message);
    if (reuse || launcher.startsAhead !== true || closing !== void 0 || ahead !== void 0 || idle().length > 0) return;
    const started = start(void 0, startingAhead.signal).then(nothing, nothing);
    ahead = started.finally(() => ahead = void 0);
  }
  async function takeAhead(message) {
    if (ahead === void 0 || message.confined !== void 0) return void 0;
    await ahead;
    const member = idleFor(message);
    if (member !== void 0) member.work = workOn(message);
    return member;
  }
  function stop2(message) {
    starting.get(attemptId(message))?.abort();
    const member = memberOf(message);
    if (member?.work === void 0 || member.work.last !== void 0) return;
    const { work } = member;
    work.isStopping = true;
    member.channel.send(message);
    work.disarm?.();
    work.disarm = clock.alarm(message.grace_ms, () => void member.started.stop(0), { keepAlive: false });
  }
  function send(message) {
    if (message.type === "assign") assign(message);
    else if (message.type === "stop") stop2(message);
    else memberOf(message)?.channel.send(message);
  }
  async function end(member, reason, graceMs) {
    await member.channel.close({ reason, graceMs });
    await member.started.stop(0);
  }
  async function finish(reason, graceMs) {
    for (const given of starting.values()) given.abort();
    startingAhead.abort();
    await ahead;
    await Promise.all(
      [...members].map(
        (member) => member.work === void 0 ? leave(member, Math.min(graceMs, leaveMs)) : end(member, reason, graceMs)
      )
    );
    while (starting.size > 0 || members.size > 0) {
      await clock.turn();
      await Promise.all([...members].map((member) => member.started.stop(0)));
    }
    messages.end();
    announceEnd({ reason, asked: true });
  }
  return {
    async warm(signal) {
      const member = await start(void 0, signal);
      messages.push({ type: "hello", worker_id: launch.workerId, incarnation: launch.incarnation, attempts: [] });
      if (signal.aborted) await leave(member);
    },
    channel: {
      send,
      messages,
      closed,
      close({ reason, graceMs }) {
        if (closing !== void 0 && graceMs === 0) for (const member of members) void member.started.stop(0);
        return closing ??= finish(reason, graceMs);
      }
    }
  };
}
var nothing = () => void 0;
function weigh2(message) {
  return message.type === "log" ? message.text.length : 0;
}

// src/transports/programs/thread-worker.ts
import { once } from "node:events";
import { Worker } from "node:worker_threads";

// src/transports/connection-relay.ts
function createConnectionRelay() {
  const early = [];
  let listener;
  let ended;
  return {
    line(line) {
      if (listener === void 0) early.push(line);
      else listener.line(line);
    },
    end(reason) {
      if (ended !== void 0) return;
      ended = reason;
      listener?.end(reason);
    },
    listen(given) {
      listener = given;
      for (const line of early.splice(0)) given.line(line);
      if (ended !== void 0) given.end(ended);
    },
    get hasEnded() {
      return ended !== void 0;
    }
  };
}

// src/transports/programs/thread-worker.ts
var lineLimit2 = 1024 * 1024;
async function startThread({ file, resourceLimits, clock }, { log, signal }) {
  const thread = new Worker(file, { stdin: false, stdout: true, stderr: true, ...resourceLimits && { resourceLimits } });
  const connection = threadConnection(thread, log);
  await once(thread, "online", { signal }).catch(async (error) => {
    await thread.terminate();
    throw error;
  });
  return {
    connection,
    async stop(graceMs) {
      if (graceMs > 0) await clock.sleep(graceMs, { signal: connection.gone });
      await thread.terminate();
    }
  };
}
function threadConnection(thread, log) {
  const relay = createConnectionRelay();
  const gone = new AbortController();
  for (const stream of [thread.stdout, thread.stderr]) {
    const lines = createLineReader({ limit: lineLimit2, emit: log });
    stream.on("data", lines.write).on("end", lines.end);
  }
  thread.on("message", (line) => relay.line(typeof line === "string" ? line : JSON.stringify(line)));
  thread.on("messageerror", () => relay.end("it sent what cannot be read"));
  let thrown;
  thread.on("error", (error) => thrown = error instanceof Error ? error.message : String(error));
  thread.on("exit", (code) => {
    gone.abort();
    relay.end(thrown === void 0 ? `the thread ended with code ${code}` : `the thread died: ${thrown}`);
  });
  return {
    send: (line) => thread.postMessage(line),
    listen: relay.listen,
    close: relay.end,
    gone: gone.signal
  };
}

// src/transports/programs/stdio-connection.ts
var lineLimit3 = 1048576;
var lineBreak = 10;
var brace = 123;
function stdioConnection(options) {
  const { input, output, other } = options;
  const relay = createConnectionRelay();
  let partial = [];
  let length = 0;
  let isOverlong = false;
  let isCorked = false;
  const hear = (line) => {
    if (line[0] !== brace) {
      other(line);
      other(newline);
    } else relay.line(line);
  };
  const hold = (piece) => {
    if (isOverlong) return;
    partial.push(piece);
    length += piece.length;
    if (length <= lineLimit3) return;
    isOverlong = true;
    hear(Buffer.concat(partial).subarray(0, lineLimit3 + 1));
    partial = [];
  };
  const finish = (piece) => {
    if (partial.length === 0 && !isOverlong && piece.length <= lineLimit3) {
      if (piece.length > 0) hear(piece);
    } else {
      hold(piece);
      if (!isOverlong && length > 0) hear(Buffer.concat(partial));
    }
    partial = [];
    length = 0;
    isOverlong = false;
  };
  output.on("data", (bytes) => {
    let from = 0;
    for (let to = bytes.indexOf(lineBreak); to >= 0; to = bytes.indexOf(lineBreak, from)) {
      finish(bytes.subarray(from, to));
      from = to + 1;
    }
    if (from < bytes.length) hold(bytes.subarray(from));
  });
  output.on("error", () => {
  });
  input.on("error", () => {
  });
  return {
    send(line) {
      if (relay.hasEnded || !input.writable) return;
      if (!isCorked) {
        isCorked = true;
        input.cork();
        process.nextTick(() => {
          isCorked = false;
          input.uncork();
        });
      }
      input.write(`${line}
`);
    },
    listen: relay.listen,
    close(reason) {
      input.end();
      relay.end(reason);
    },
    pause(isPaused) {
      if (isPaused) output.pause();
      else output.resume();
    },
    end: relay.end
  };
}
var newline = Uint8Array.of(lineBreak);

// src/transports/programs/worker-program.ts
var exitPatienceMs = 500;
var drainLimitMs = 200;
var lineLimit4 = 1024 * 1024;
async function startWorkerProgram(options) {
  const { launch, clock, log, sweep } = options;
  const stderr = createLineReader({ limit: lineLimit4, emit: log });
  const stdout = createLineReader({ limit: lineLimit4, emit: log });
  const at = clock.monotonic();
  const program = await startProgram(launch, { clock, drainLimitMs, hasInput: true, stderr: stderr.write });
  const [input, output] = program.pipes;
  const connection = stdioConnection({ input, output, other: stdout.write });
  const ended = program.ended.then((end) => {
    stderr.end();
    stdout.end();
    connection.end(exitReason(end));
  });
  const gone = new AbortController();
  void ended.then(() => gone.abort());
  const giveUp = (what) => void clock.sleep(exitPatienceMs, { signal: gone.signal }).then(() => connection.end(what));
  output.once("close", () => giveUp("it closed its output"));
  input.once("error", () => giveUp("it closed its input"));
  return {
    connection,
    process: program.record,
    stop: (graceMs) => stop({ program, input, clock, ended, gone: gone.signal, graceMs }).then(() => sweep?.({ pid: program.record.group, at }))
  };
}
async function stop(parts) {
  const { program, input, clock, ended, gone, graceMs } = parts;
  input.end();
  if (graceMs > 0) await clock.sleep(graceMs, { signal: gone });
  program.terminate(graceMs > 0 ? termToKillMs : 0);
  await ended;
  input.destroy();
}
var termToKillMs = 500;
function exitReason({ exitCode, signal }) {
  if (signal !== void 0) return `it was ended by ${signal}`;
  return exitCode === void 0 ? "it ended" : `it exited with code ${exitCode}`;
}

// src/transports/ssh/ssh-commands.ts
import { stat as stat4 } from "node:fs/promises";
import { join as join11 } from "node:path";

// src/security/shell-word.ts
function shellWord(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
function hasNul(text) {
  return text.includes("\0");
}

// src/transports/ssh/remote-refusal.ts
var refusals = {
  no_home: {
    reason: "the host has no private folder for it: flotilla-<uid> in its folder for temporary files belongs to somebody else",
    isFinal: false
  },
  no_tool: { reason: "the host lacks a program", isFinal: false },
  unkillable: { reason: "the host runs something of an earlier attempt that does not die", isFinal: false },
  no_folder: { reason: "the host has no room for its folder", isFinal: false },
  folder_gone: { reason: "the folder of its attempt is gone from the host", isFinal: false },
  no_directory: { reason: "the host has no such working directory", isFinal: true },
  no_root: { reason: "the working directory has no folder of the name of its workspace root", isFinal: true },
  root_outside: { reason: "its workspace root leads out of the working directory", isFinal: true },
  not_staged: { reason: "the host could not unpack its input files", isFinal: false },
  not_received: { reason: "its input did not arrive whole", isFinal: false },
  no_program: { reason: "the host has no such program", isFinal: true }
};
function refusalText(words) {
  const [, code = "", ...rest] = words;
  return [refusals[code]?.reason ?? "the host refused it", ...rest].join(" ");
}
function refusalOutcome(program, words) {
  const reason = `cannot run ${program}: ${refusalText(words)}`;
  return refusals[words[1] ?? ""]?.isFinal === true ? finalFailure(reason) : hostFailure(new Error(reason));
}

// src/transports/ssh/ssh-client.ts
import { spawn } from "node:child_process";
import { createHash as createHash3, randomBytes } from "node:crypto";
import { access, copyFile, mkdtemp as mkdtemp2, realpath as realpath3, rm as rm4, symlink as symlink2, writeFile as writeFile4 } from "node:fs/promises";
import { tmpdir as tmpdir2 } from "node:os";
import { join as join9 } from "node:path";

// src/transports/ssh/remote-program.ts
import { once as once2 } from "node:events";

// src/transports/ssh/marked-output.ts
var newline2 = 10;
var longestLine = 1024;
function createMarkedOutput(mark, parts) {
  const sign = Buffer.from(`${mark} `);
  let held = Buffer.alloc(0);
  let phase = "before";
  const pass = (bytes) => {
    if (bytes.length > 0) parts[phase === "before" ? "before" : "output"](bytes);
  };
  return {
    async write(bytes) {
      if (phase === "after") return parts.after(bytes);
      let rest = held.length === 0 ? Buffer.from(bytes) : Buffer.concat([held, bytes]);
      held = Buffer.alloc(0);
      for (; ; ) {
        const at = rest.indexOf(sign);
        if (at < 0) {
          const kept = heldBack(rest, sign);
          pass(rest.subarray(0, rest.length - kept));
          held = rest.subarray(rest.length - kept);
          return;
        }
        const end = rest.indexOf(newline2, at);
        if (end < 0 && rest.length - at <= longestLine) {
          pass(rest.subarray(0, at));
          held = rest.subarray(at);
          return;
        }
        pass(rest.subarray(0, at));
        const line = rest.subarray(at + sign.length, end < 0 ? rest.length : end).toString();
        rest = end < 0 ? Buffer.alloc(0) : rest.subarray(end + 1);
        const isLast = parts.said(line.split(" "));
        phase = isLast ? "after" : "output";
        if (!isLast) continue;
        return rest.length > 0 ? parts.after(rest) : void 0;
      }
    },
    end() {
      pass(held);
      held = Buffer.alloc(0);
    }
  };
}
function heldBack(bytes, sign) {
  for (let length = Math.min(bytes.length, sign.length - 1); length > 0; length -= 1) {
    if (bytes.subarray(bytes.length - length).equals(sign.subarray(0, length))) return length;
  }
  return 0;
}

// src/transports/ssh/remote-program.ts
var quotedChars2 = 2e3;
function converseWithRemote(conversation) {
  const { child, clock, mark, isLast, stdout, stderr, after, startLimitMs: startLimitMs2, endLimitMs: endLimitMs4, beatMs } = conversation;
  const over = new AbortController();
  let announceBegun;
  const begun = new Promise((resolve) => announceBegun = resolve);
  let hasBegun = false;
  let isFed = false;
  let last;
  let early = "";
  let fault;
  let hurry;
  const quote = (bytes) => early = (early + Buffer.from(bytes).toString()).slice(-quotedChars2);
  const errors = createMarkedOutput(mark, {
    before: quote,
    output: (bytes) => stderr?.(bytes),
    said: () => false,
    after: () => Promise.resolve()
  });
  const marked = createMarkedOutput(mark, {
    before: quote,
    output: (bytes) => stdout?.(bytes),
    said(words) {
      if (!hasBegun) begin(words);
      if (isLast(words)) last = words;
      return last !== void 0;
    },
    after: (bytes) => after?.(bytes) ?? Promise.resolve()
  });
  function begin(words) {
    hasBegun = true;
    announceBegun(words);
    if (beatMs !== void 0) void beat(beatMs);
  }
  async function beat(everyMs) {
    while (!over.signal.aborted) {
      child.stdin.write("beat\n");
      await clock.sleep(everyMs, { signal: over.signal, keepAlive: false });
    }
  }
  async function feed() {
    for (const piece of conversation.input) {
      if (over.signal.aborted || child.stdin.destroyed) return;
      if (!child.stdin.write(piece)) await Promise.race([once2(child.stdin, "drain"), once2(over.signal, "abort")]);
    }
    isFed = true;
  }
  async function watchStart() {
    await feed();
    await Promise.race([clock.sleep(startLimitMs2, { signal: over.signal }), begun]);
    if (hasBegun || over.signal.aborted) return;
    fault = `nothing was heard of it for ${startLimitMs2 / 1e3} s`;
    child.kill("SIGKILL");
  }
  async function read(stream, into) {
    try {
      for await (const bytes of stream) await into.write(bytes);
    } catch (error) {
      fault ??= error instanceof Error ? error.message : String(error);
      child.kill("SIGKILL");
    }
    into.end();
  }
  async function run2() {
    const closed = new Promise((resolve) => child.once("close", resolve));
    child.on("error", (error) => fault ??= error.message);
    child.stdin.on("error", () => {
    });
    const started = watchStart().catch(() => void 0);
    await Promise.all([read(child.stdout, marked), read(child.stderr, errors), closed]);
    over.abort();
    child.stdin.destroy();
    announceBegun(void 0);
    await started;
    if (fault === void 0 && last !== void 0 && child.exitCode === 0) return { kind: "said", words: last };
    const said = early.trim().split("\n").slice(-3).join("\n");
    const reason = fault ?? (hasBegun || said === "" ? `the connection ended (${child.signalCode ?? `code ${child.exitCode}`})` : said);
    return { kind: "lost", reason };
  }
  async function end(graceMs, signal) {
    if (isFed) {
      child.stdin.write("term\n");
      await clock.sleep(graceMs, { signal });
      if (signal.aborted) return;
      child.stdin.write("kill\n");
      child.stdin.end();
    } else {
      child.stdin.destroy();
    }
    await clock.sleep(endLimitMs4, { signal });
    if (!signal.aborted) child.kill("SIGKILL");
  }
  const ended = run2();
  return {
    begun,
    ended,
    cut: () => void child.kill("SIGKILL"),
    terminate(graceMs) {
      hurry?.abort();
      hurry = new AbortController();
      void end(graceMs, AbortSignal.any([hurry.signal, over.signal]));
    }
  };
}

// src/transports/ssh/remote-shell.ts
var take = 'read -r n && s=$(dd bs=1 count="$n" 2>/dev/null) && eval "$s"';
var remoteLine = `exec sh -c ${shellWord(take)}`;
var clean = `again=${shellWord(take)}
set --
for n in ${essentials.join(" ")}; do
  eval "[ -z \\"\\\${$n+x}\\" ] || set -- \\"\\$@\\" \\"$n=\\$$n\\""
done
exec env -i "$@" sh -c "$again"
`;
function remoteShell(script, { variables, environment = {}, command = [] }) {
  const assigned = Object.entries(variables).map(([name, value]) => `${name}=${shellWord(String(value))}
`);
  const exported = Object.entries(environment).map(([name, value]) => `  export ${name}=${shellWord(value)}
`);
  const input = `${assigned.join("")}environment() {
  :
${exported.join("")}}
set -- ${command.map(shellWord).join(" ")}
`;
  return counted(clean) + counted(input + script);
}
function counted(text) {
  return `${Buffer.byteLength(text)}
${text}`;
}

// src/transports/ssh/ssh-arguments.ts
var linkFiles = { identity: "identity", knownHosts: "known_hosts", control: "control" };
var pinnedName = "flotilla-pinned-host";
function sshArguments(host, options) {
  const { connectSeconds, aliveSeconds, aliveCount, shared, line } = options;
  const settings = {
    ...fixed,
    ConnectTimeout: String(connectSeconds),
    ServerAliveInterval: String(aliveSeconds),
    ServerAliveCountMax: String(aliveCount),
    UserKnownHostsFile: linkFiles.knownHosts,
    ...host.fingerprint === void 0 ? {} : { HostKeyAlias: pinnedName },
    ControlMaster: shared === "opens" ? "yes" : "no",
    ControlPath: shared === "no" ? "none" : linkFiles.control
  };
  return [
    "-F",
    "none",
    "-T",
    ...Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
    ...host.identity === void 0 ? [] : ["-i", linkFiles.identity],
    "-p",
    String(host.port),
    ...host.user === void 0 ? [] : ["-l", host.user],
    "--",
    host.host,
    line
  ];
}
var fixed = {
  BatchMode: "yes",
  IdentitiesOnly: "yes",
  IdentityAgent: "none",
  PreferredAuthentications: "publickey",
  StrictHostKeyChecking: "yes",
  GlobalKnownHostsFile: "/dev/null",
  UpdateHostKeys: "no",
  VerifyHostKeyDNS: "no",
  CheckHostIP: "no",
  CanonicalizeHostname: "no",
  ClearAllForwardings: "yes",
  ForwardAgent: "no",
  ForwardX11: "no",
  Tunnel: "no",
  PermitLocalCommand: "no",
  ProxyCommand: "none",
  RequestTTY: "no",
  EscapeChar: "none",
  ControlPersist: "no",
  ConnectionAttempts: "1",
  TCPKeepAlive: "yes",
  LogLevel: "ERROR"
};

// src/transports/ssh/ssh-host-key.ts
import { execFile } from "node:child_process";
import { createHash as createHash2 } from "node:crypto";
async function pinnedKnownHosts(host, tools) {
  const { fingerprint, knownHosts } = host;
  const offered = keysOf(
    await run(tools.scan, ["-T", String(tools.connectSeconds), "-p", String(host.port), "--", host.host], tools)
  );
  if (offered.length === 0)
    throw new Error(`${host.host} did not show a host key: it cannot be reached on port ${host.port}, or speaks no ssh`);
  const pinned = offered.find((key) => fingerprintOf(key) === fingerprint);
  if (pinned === void 0) {
    const seen = offered.map((key) => `${key.type} ${fingerprintOf(key)}`).join(", ");
    throw new Error(`the host key of ${host.host} is not the pinned one (${fingerprint}): it has ${seen}`);
  }
  if (knownHosts !== void 0) {
    const name = host.port === 22 ? host.host : `[${host.host}]:${host.port}`;
    const known = keysOf(await run(tools.generate, ["-F", name, "-f", knownHosts], tools));
    if (!known.some((key) => key.base64 === pinned.base64))
      throw new Error(`the pinned key of ${name} does not stand in ${knownHosts}`);
  }
  return `${pinnedName} ${pinned.type} ${pinned.base64}
`;
}
function keysOf(text) {
  return text.split("\n").flatMap((line) => {
    const [, type, base64] = /^[^#@\s]\S* ([a-z0-9@.-]+) ([A-Za-z0-9+/]+=*)(?:\s.*)?$/.exec(line) ?? [];
    return type === void 0 || base64 === void 0 ? [] : [{ type, base64 }];
  });
}
function fingerprintOf({ base64 }) {
  return `SHA256:${createHash2("sha256").update(Buffer.from(base64, "base64")).digest("base64").replace(/=+$/, "")}`;
}
function run(program, args, { environment, connectSeconds, signal }) {
  return new Promise((resolve, reject) => {
    const timeout = (connectSeconds + 5) * 3e3;
    const options = { env: { ...environment }, signal, timeout, killSignal: "SIGKILL", maxBuffer: 1048576 };
    execFile(program, args, options, (error, stdout) => {
      if (signal.aborted) reject(signal.reason);
      else if (error !== null && error.code === "ENOENT") reject(new Error(`there is no program ${program} on this machine`));
      else resolve(stdout);
    });
  });
}

// src/transports/ssh/ssh-client.ts
var endLimitMs2 = 1e4;
async function openSshClient(parts, launch, signal) {
  const { host, clock, environment, limits, programs } = parts;
  const folder = await realpath3(await mkdtemp2(join9(tmpdir2(), "flotilla-ssh-")));
  const close = () => rm4(folder, { recursive: true, force: true });
  const mine = { FLOTILLA_STORE: launch.storeId, FLOTILLA_WORKER: launch.workerId, FLOTILLA_INCARNATION: launch.incarnation };
  const env = { ...inherited(environment), ...mine };
  try {
    await furnish(folder, parts, { environment: env, signal });
  } catch (error) {
    await close();
    throw error;
  }
  function start(shared) {
    const args = sshArguments(host, { ...limits, shared, line: remoteLine });
    return spawn(programs.ssh, args, { cwd: folder, env, detached: true, shell: false, stdio: "pipe" });
  }
  return {
    spawn: start,
    close,
    run(script, { pieces = [], ...input }, { shared, ...conversation }) {
      const mark = `flotilla-${randomBytes(16).toString("hex")}`;
      const text = remoteShell(script, { ...input, variables: { mark, ...input.variables } });
      const { startLimitMs: startLimitMs2 } = limits;
      return converseWithRemote({
        child: start(shared),
        clock,
        mark,
        input: [text, ...pieces],
        startLimitMs: startLimitMs2,
        endLimitMs: endLimitMs2,
        ...conversation
      });
    }
  };
}
async function furnish(folder, { host, limits, programs }, { environment, signal }) {
  const { identity, knownHosts, fingerprint } = host;
  if (identity !== void 0) {
    await readable(identity, "identity");
    await symlink2(identity, join9(folder, linkFiles.identity));
    await symlink2(`${identity}-cert.pub`, join9(folder, `${linkFiles.identity}-cert.pub`));
  }
  if (knownHosts !== void 0) await readable(knownHosts, "known_hosts");
  const known = join9(folder, linkFiles.knownHosts);
  if (fingerprint !== void 0) {
    const { connectSeconds } = limits;
    const tools = { scan: programs["ssh-keyscan"], generate: programs["ssh-keygen"], environment, connectSeconds, signal };
    await writeFile4(known, await pinnedKnownHosts(host, tools));
  } else if (knownHosts !== void 0) await copyFile(knownHosts, known);
}
async function readable(path, field) {
  await access(path).catch((error) => {
    throw new Error(`${field}: ${path} cannot be read (${error instanceof Error ? error.message : String(error)})`);
  });
}
function ownerMark({ storeId, workerId }) {
  return digest(`${storeId}/${workerId}`);
}
function incarnationMark({ incarnation }) {
  return digest(incarnation).slice(0, 16);
}
function digest(text) {
  return createHash3("sha256").update(text).digest("hex").slice(0, 32);
}
function passedOn(environment, names) {
  const values = names.flatMap((name) => {
    const value = environment.get(name);
    return value === void 0 ? [] : [[name, value]];
  });
  return Object.fromEntries(values);
}

// src/transports/ssh/ssh-program.ts
import { constants as constants3 } from "node:os";

// src/transports/ssh/remote-leavings.ts
import { mkdir as mkdir7, open as open3 } from "node:fs/promises";
import { dirname as dirname2, join as join10 } from "node:path";

// src/transports/ssh/tar-reader.ts
var block = 512;
var longestMeta = 64 * 1024;
function createTarReader(listener) {
  let held = Buffer.alloc(0);
  let state = { kind: "header" };
  let meta = [];
  let given = {};
  let isOver = false;
  async function take2(piece) {
    if (state.kind === "file") await listener.bytes(piece);
    if (state.kind === "meta") meta.push(piece);
  }
  async function begin(header2) {
    if (header2.every((byte) => byte === 0)) {
      isOver = true;
      return;
    }
    if (!isSummed(header2)) throw new Error("what came is no tar archive");
    const type = String.fromCharCode(header2[156] ?? 0);
    const size = given.size ?? numberOf(header2.subarray(124, 136));
    if (!Number.isSafeInteger(size) || size < 0) throw new Error("a tar archive with an entry of no size");
    if (type === "L" || type === "x") {
      if (size > longestMeta) throw new Error("a tar archive with a name that is too long");
      state = { kind: "meta", left: size, padding: paddingOf(size), type };
      meta = [];
      return;
    }
    if (type === "K" || type === "g") {
      state = { kind: "skip", left: size, padding: paddingOf(size), type };
      return;
    }
    const kind = kinds[type] ?? "other";
    const left = kind === "link" || kind === "folder" ? 0 : size;
    await listener.entry({ path: given.path ?? nameOf(header2), kind, size: left });
    given = {};
    state = { kind: kind === "file" ? "file" : "skip", left, padding: paddingOf(left), type };
    if (left === 0) await finish();
  }
  async function finish() {
    if (state.kind === "header") return;
    if (state.kind === "file") await listener.end();
    if (state.kind === "meta") {
      const text = Buffer.concat(meta);
      given = state.type === "L" ? { ...given, path: text.toString().replace(/\0.*$/s, "") } : { ...given, ...extended(text) };
    }
    if (state.padding === 0) state = { kind: "header" };
  }
  return {
    async write(bytes) {
      let rest = held.length === 0 ? Buffer.from(bytes) : Buffer.concat([held, bytes]);
      held = Buffer.alloc(0);
      while (rest.length > 0 && !isOver) {
        if (state.kind === "header") {
          if (rest.length < block) break;
          await begin(rest.subarray(0, block));
          rest = rest.subarray(block);
        } else if (state.left > 0) {
          const piece = rest.subarray(0, state.left);
          await take2(piece);
          state.left -= piece.length;
          rest = rest.subarray(piece.length);
          if (state.left === 0) await finish();
        } else {
          const skipped = Math.min(rest.length, state.padding);
          state.padding -= skipped;
          rest = rest.subarray(skipped);
          if (state.padding === 0) state = { kind: "header" };
        }
      }
      if (!isOver) held = rest;
    },
    end() {
      if (!isOver) throw new Error("a tar archive that was cut short");
    }
  };
}
var kinds = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "1": "link",
  "2": "link",
  "5": "folder"
};
function paddingOf(size) {
  return (block - size % block) % block;
}
function isSummed(header2) {
  const sum = header2.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  return numberOf(header2.subarray(148, 156)) === sum;
}
function numberOf(field) {
  if ((field[0] ?? 0) >= 128) return field.subarray(1).reduce((value, byte) => value * 256 + byte, (field[0] ?? 0) & 127);
  const digits = textOf2(field).trim();
  return digits === "" ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}
function textOf2(field) {
  const end = field.indexOf(0);
  return field.subarray(0, end < 0 ? field.length : end).toString();
}
function nameOf(header2) {
  const prefix = header2.subarray(257, 263).toString("latin1") === "ustar\0" ? textOf2(header2.subarray(345, 500)) : "";
  const name = textOf2(header2.subarray(0, 100));
  return prefix === "" ? name : `${prefix}/${name}`;
}
function extended(bytes) {
  const found = {};
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(32, at);
    const length = Number.parseInt(bytes.subarray(at, blank).toString(), 10);
    if (blank < 0 || !(length > 0)) throw new Error("a tar archive with a broken extended header");
    const [name, ...value] = bytes.subarray(blank + 1, at + length - 1).toString().split("=");
    if (name === "path") found.path = value.join("=");
    if (name === "size") found.size = Number(value.join("="));
    at += length;
  }
  return found;
}

// src/transports/ssh/remote-leavings.ts
var longestNotes = 20;
function createRemoteLeavings(folder, limits) {
  const notes = [];
  const evidence = [];
  let [files, bytes, uncounted] = [0, 0, 0];
  let target;
  let hasBegun = false;
  const leave = (path, why) => {
    if (notes.length < longestNotes) notes.push(`[${path} left out: ${why}]
`);
    else uncounted += 1;
  };
  async function place2({ path, kind, size }) {
    if (kind === "folder") return void 0;
    if (path === "evidence" && kind === "file") return "evidence";
    const why = problemOf(path, kind) ?? (bytes + size > limits.bytes ? `with it there would be more than ${limits.bytes} bytes` : void 0);
    if (why !== void 0) {
      leave(path, why);
      return void 0;
    }
    files += 1;
    if (files > limits.files) return void 0;
    bytes += size;
    const at = join10(folder, path);
    try {
      await mkdir7(dirname2(at), { recursive: true });
      return await open3(at, "wx", 384);
    } catch (error) {
      if (!isOwnDoing(error)) throw error;
      leave(path, String(error));
      return void 0;
    }
  }
  const reader = createTarReader({
    async entry(entry) {
      target = await place2(entry);
    },
    async bytes(piece) {
      if (target === "evidence") evidence.push(Uint8Array.from(piece));
      else if (target !== void 0) await target.writeFile(piece);
    },
    async end() {
      if (target !== "evidence") await target?.close();
      target = void 0;
    }
  });
  return {
    write(piece) {
      hasBegun = true;
      return reader.write(piece);
    },
    end() {
      if (hasBegun) reader.end();
      return [...notes, ...uncounted > 0 ? [`[${uncounted} more left out]
`] : []];
    },
    get evidence() {
      return Buffer.concat(evidence);
    }
  };
}
function problemOf(path, kind) {
  const parts = path.split("/");
  const isBelow = path === "output.json" || parts[0] === "artifacts" && parts.length > 1;
  if (!isBelow || path.includes("\0") || parts.some((part) => part === "" || part === "." || part === ".."))
    return "it leads out of its folder";
  return kind === "file" ? void 0 : `it is ${kind === "link" ? "a link" : "no regular file"}`;
}
function isOwnDoing(error) {
  return error instanceof Error && "code" in error && ["EEXIST", "ENOTDIR", "EISDIR", "ENAMETOOLONG", "EINVAL"].includes(String(error.code));
}

// src/transports/ssh/remote-scripts.ts
var beginning = `umask 077
exec 3<&0 0</dev/null
trap : PIPE HUP
say() { printf '%s %s\\n' "$mark" "$*"; }
home=\${TMPDIR:-/tmp}/flotilla-$(id -u)
mkdir -p "$home" 2>/dev/null
[ -d "$home" ] && [ -O "$home" ] && [ ! -h "$home" ] && chmod 700 "$home" || { say refused no_home; exit 0; }

# Marks are of one length, so that none begins another.
# Kills every process that a command finds, again and again until it finds none. Only Linux tells what processes have.
sweep() {
  tries=0
  while found=$("$@"); [ -n "$found" ]; do
    [ "$tries" -lt 50 ] || return 1
    for file in $found; do
      pid=\${file#/proc/}
      kill -s KILL "\${pid%/environ}" 2>/dev/null
    done
    tries=$((tries + 1))
    sleep 0.1 2>/dev/null || sleep 1
  done
}
carriers() { grep -lsF -- "FLOTILLA_MARK=$program" /proc/[0-9]*/environ; }
# What earlier incarnations of the worker left.
leftovers() {
  grep -lsF -- "FLOTILLA_MARK=$owner-" /proc/[0-9]*/environ | while read -r file; do
    grep -qsF -- "FLOTILLA_MARK=$owner-$incarnation-" "$file" || echo "$file"
  done
}
`;
var anchorScript = `${beginning}
for tool in dd mkfifo tar grep find wc head; do
  command -v "$tool" >/dev/null 2>&1 || { say refused no_tool "$tool"; exit 0; }
done
sweep leftovers || { say refused unkillable; exit 0; }
find "$home" -mindepth 1 -maxdepth 1 -mtime +1 -exec rm -rf {} + 2>/dev/null
say ready
exec cat <&3 >/dev/null
`;
var sweepScript = `${beginning}
sweep carriers || { say refused unkillable; exit 0; }
rm -rf "$home/$name"
say swept
`;
var supervision = `
# It carries the mark too, so that the sweep at the end takes along the naps of jobs that were ended.
nap() { FLOTILLA_MARK=$program sleep "$1" 3<&-; }
# Before the program leads a group there is only itself.
signal() { kill -s "$1" -- "-$leader" 2>/dev/null || kill -s "$1" "$leader" 2>/dev/null; }
# Nobody is there any more.
give_up() { signal TERM; nap "$grace"; signal KILL; }
lead=
if command -v setsid >/dev/null 2>&1; then lead=setsid; else set -m; fi
# The copy of the output holds $1 open as long as the output is.
copy_output() {
  cat <"$folder/.out" 3<&- 4>"$1" & out=$!
  cat <"$folder/.err" >&2 3<&- & err=$!
}
# After the program: what is left of its group, and its output, get a moment.
stragglers() { nap "$drain"; kill -s KILL -- "-$leader" 2>/dev/null; nap 1; kill "$out" "$err" 2>/dev/null; }
await_end() {
  while wait "$leader"; code=$?; kill -s 0 "$leader" 2>/dev/null; do :; done
  for job in $jobs; do kill "$job" 2>/dev/null; wait "$job"; done
  stragglers >/dev/null 3<&- & straggling=$!
  wait "$out"; wait "$err"
  kill "$straggling" 2>/dev/null; wait "$straggling"
  kill -s KILL -- "-$leader" 2>/dev/null
  sweep carriers
}
`;
var workerScript = `${beginning}${supervision}
stop() { echo "flotilla: $1" >&2; cd /; rm -rf "$folder"; exit 127; }
folder=$home/$name
sweep leftovers || stop 'something of an earlier start does not die'
mkdir "$folder" && cd -- "$folder" && mkfifo .in .out .err .gone .quiet || stop 'there is no room for pipes'
cd -- "\${dir:-\${HOME:-/}}" || stop 'there is no such working directory'
command -v -- "$1" >/dev/null 2>&1 || stop 'there is no such worker program'
say started
copy_output "$folder/.quiet"
( environment; unset OLDPWD; exec $lead "$@" ) <"$folder/.in" >"$folder/.out" 2>"$folder/.err" 3<&- & leader=$!
cat <&3 >"$folder/.in" 4>"$folder/.gone" & pump=$!
exec 2>/dev/null
# Nothing is ever written to these: one ends with what the fleet says, the other with what the program says.
hear() { read -r _; nap "$1"; give_up; }
hear "$grace" <"$folder/.gone" >/dev/null 3<&- & listener=$!
hear 1 <"$folder/.quiet" >/dev/null 3<&- & watcher=$!
jobs="$pump $listener $watcher"
await_end
cd /
rm -rf "$folder"
exit "$code"
`;
var commandScript = `${beginning}${supervision}
fail() { say refused "$1"; cd /; [ -z "$fresh" ] || rm -rf "$folder"; exit 0; }
# So many bytes of what the fleet sends, into a file; dd may get fewer at a time, but takes none too many.
receive() {
  : >"$2"
  got=0
  while [ "$got" -lt "$1" ]; do
    left=$(($1 - got))
    dd bs=$((left < 65536 ? left : 65536)) count=1 <&3 >>"$2" 2>/dev/null
    now=$(($(wc -c <"$2")))
    [ "$now" -gt "$got" ] || fail not_received
    got=$now
  done
}
inside() { case $2/ in "\${1%/}"/*) ;; *) return 1 ;; esac; }
# What the file that the scorer reads is like (VE2); at most so much of it that too much can be told.
look_at_evidence() {
  [ -e "$1" ] || { seen=missing; return; }
  real=$(readlink -f -- "$1" 2>/dev/null) && inside "$root" "$real" || { seen=refused; return; }
  [ -f "$real" ] || { seen=no_file; return; }
  head -c 1000001 <"$real" >"$folder/evidence" && seen=file || seen=refused
}

folder=$home/$name
if [ -n "$fresh" ]; then
  rm -rf "$folder"
  mkdir "$folder" "$folder/artifacts" || fail no_folder
else
  [ -d "$folder" ] || fail folder_gone
fi
if [ -n "$fresh" ]; then
  top=$dir
  if [ -z "$dir" ]; then
    top=$folder/root
    mkdir -p -- "$top/$sub" || fail no_folder
  fi
  top=$(cd -P -- "$top" 2>/dev/null && pwd -P) || fail no_directory
  root=$(cd -P -- "$top/$sub" 2>/dev/null && pwd -P) || fail no_root
  inside "$top" "$root" || fail root_outside
  printf '%s\\n' "$root" >"$folder/.root" || fail no_folder
else
  read -r root <"$folder/.root" || fail folder_gone
fi
cd -- "$root" || fail no_root
if [ "$staged" -gt 0 ]; then
  receive "$staged" "$folder/.staged"
  tar -xof "$folder/.staged" || fail not_staged
  rm -f "$folder/.staged"
fi
receive "$given" "$folder/$input"
command -v -- "$1" >/dev/null 2>&1 || fail no_program
rm -f "$folder/.out" "$folder/.err"
mkfifo "$folder/.out" "$folder/.err" || fail no_folder
# Ahead of everything that the program writes, on both streams.
say started
say started >&2
copy_output /dev/null
(
  environment
  unset OLDPWD
  export FLOTILLA_FOLDER="$folder" FLOTILLA_ARTIFACTS="$folder/artifacts" FLOTILLA_INPUT="$folder/$input"
  exec $lead "$@"
) </dev/null >"$folder/.out" 2>"$folder/.err" 3<&- & leader=$!
exec 2>/dev/null
hear() {
  while read -r word; do
    case $word in
      beat) : >"$folder/.beat" ;;
      term) signal TERM ;;
      kill) signal KILL ;;
    esac
  done
  give_up
}
hear <&3 >/dev/null & listener=$!
watch() { while nap "$silence"; do rm "$folder/.beat" 2>/dev/null || { give_up; return; }; done; }
watch >/dev/null 3<&- & watcher=$!
jobs="$listener $watcher"
await_end

seen=none
[ -z "$evidence" ] || look_at_evidence "$root/$evidence"
cd -- "$folder" || exit 1
note=whole
set --
if [ -n "$fresh" ]; then
  if [ -n "$(ls -A artifacts 2>/dev/null)" ]; then
    if [ "$(du -sk artifacts | cut -f 1)" -le "$most" ]; then set -- artifacts; else note=too_much; fi
  fi
  if [ -e output.json ] || [ -h output.json ]; then set -- "$@" output.json; fi
  if [ "$seen" = file ]; then set -- "$@" evidence; fi
fi
say ended "$code" "$seen" "$note"
[ $# -eq 0 ] || tar -cf - "$@"
cd /
if [ -z "$keep" ] || [ "$code" -ne 0 ]; then rm -rf "$folder"; fi
exit 0
`;

// src/transports/ssh/ssh-program.ts
async function startSshProgram(place2, order) {
  const { link, launch, workingDirectory, termToKillMs: termToKillMs2, drainLimitMs: drainLimitMs2, fetched } = place2;
  const { key, program, input, fresh, signal } = order;
  const name = digest(`${launch.storeId}/${key.run_id}/${key.task_id}/${key.attempt}`);
  const mark = `${ownerMark(launch)}-${incarnationMark(launch)}-${name}`;
  const leavings = createRemoteLeavings(fresh?.folder ?? "", fetched);
  const given = Buffer.from(input.text);
  const remote = link.run(
    commandScript,
    {
      variables: {
        name,
        program: mark,
        fresh: fresh === void 0 ? "" : 1,
        dir: workingDirectory ?? "",
        sub: fresh?.root ?? "",
        staged: sizeOf(fresh?.staged ?? []),
        given: given.length,
        input: input.name,
        silence: seconds(launch.leaseTtlMs),
        grace: seconds(termToKillMs2),
        drain: seconds(drainLimitMs2),
        evidence: fresh?.evidence ?? "",
        most: Math.ceil(fetched.bytes / 1024),
        keep: fresh?.keep === true ? 1 : ""
      },
      environment: { ...program.environment, FLOTILLA_MARK: mark },
      command: [program.program, ...program.args],
      pieces: [...fresh?.staged ?? [], given]
    },
    {
      isLast: ([word]) => word === "ended" || word === "refused",
      stdout: order.stdout,
      stderr: order.stderr,
      after: leavings.write,
      beatMs: launch.leaseTtlMs / 4
    }
  );
  const stop2 = () => remote.terminate(0);
  signal.addEventListener("abort", stop2, { once: true });
  if (signal.aborted) stop2();
  const begun = await remote.begun;
  signal.removeEventListener("abort", stop2);
  async function endOf3() {
    const end = await remote.ended;
    if (end.kind === "said") {
      const [, code, found = "none", note] = end.words;
      const over = note === "too_much" ? [`[artifacts left out: together they are larger than ${fetched.bytes} bytes]
`] : [];
      return {
        ...exitOf(Number(code)),
        isDrained: true,
        notes: [...leavings.end(), ...over],
        evidence: { found, bytes: leavings.evidence }
      };
    }
    await link.sweep(mark, name);
    return { lost: end.reason, isDrained: true, notes: [], evidence: nothing2 };
  }
  if (begun?.[0] === "refused") {
    await remote.ended;
    return { refused: begun };
  }
  return {
    record: void 0,
    terminate: remote.terminate,
    pipes: [],
    ended: endOf3().catch((error) => ({ lost: String(error), isDrained: true, notes: [], evidence: nothing2 }))
  };
}
var nothing2 = { found: "none", bytes: new Uint8Array() };
function exitOf(code) {
  const signal = Object.entries(constants3.signals).find(([, number]) => number === code - 128);
  return signal === void 0 ? { exitCode: code } : { signal: signal[0] };
}
function seconds(ms) {
  return Math.max(1, Math.ceil(ms / 1e3));
}
function sizeOf(pieces) {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

// src/transports/ssh/tar-writer.ts
var block2 = 512;
var longestName = 100;
function tarEntry({ path, bytes, isExecutable }) {
  const name = Buffer.from(path);
  const long = name.length > longestName ? [
    header({ name: Buffer.from("././@LongLink"), size: name.length + 1, mode: 420, type: "L" }),
    padded(Buffer.concat([name, Buffer.alloc(1)]))
  ] : [];
  const mode = isExecutable ? 493 : 420;
  return Buffer.concat([
    ...long,
    header({ name: name.subarray(0, longestName), size: bytes.length, mode, type: "0" }),
    padded(bytes)
  ]);
}
var tarEnd = Buffer.alloc(2 * block2);
function header({
  name,
  size,
  mode,
  type
}) {
  const bytes = Buffer.alloc(block2);
  name.copy(bytes);
  bytes.write(octal(mode, 7), 100);
  bytes.write(octal(0, 7), 108);
  bytes.write(octal(0, 7), 116);
  bytes.write(octal(size, 11), 124);
  bytes.write(octal(0, 11), 136);
  bytes.write(" ".repeat(8), 148);
  bytes.write(type, 156);
  bytes.write("ustar\x0000", 257);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${octal(sum, 6)}\0 `, 148);
  return bytes;
}
function octal(value, digits) {
  return value.toString(8).padStart(digits, "0");
}
function padded(bytes) {
  return Buffer.concat([bytes, Buffer.alloc((block2 - bytes.length % block2) % block2)]);
}

// src/transports/ssh/ssh-commands.ts
function sshCommandStart(parts) {
  return async ({ assign, launch, signal, output }) => {
    const { program, args } = launch;
    const { root = "" } = assign.task.workspace ?? {};
    const environment = {
      ...passedOn(parts.environment, parts.passed),
      ...assign.environment,
      ...assign.secrets,
      ...leaseEntries(assign, parts.place.launch.storeId)
    };
    const problem = wordsProblem2([program, ...args], environment) ?? (root.startsWith("/") ? `its workspace root ${root} is an absolute path, which says nothing at another host` : void 0) ?? (assign.confined === void 0 ? void 0 : "nothing confines what runs at another host");
    if (problem !== void 0) return finalFailure(`cannot run ${program}: ${problem}`);
    const { scorer } = assign.task;
    const evidence = scorer !== void 0 && "path" in scorer ? scorer.path : void 0;
    const started = await startSshProgram(parts.place, {
      key: assign,
      program: { program, args, environment },
      input: { name: "input.json", text: inputText(assign) },
      fresh: {
        root: root === "." ? "" : root,
        staged: await archiveOf(parts.files, assign),
        evidence,
        keep: scorer?.kind === "command",
        folder: assign.folder
      },
      stdout: output.stdout,
      stderr: output.stderr,
      signal
    });
    if ("refused" in started) return refusalOutcome(program, started.refused);
    return withLeavings(started, assign.folder, evidence);
  };
}
function sshCheckStart(parts) {
  return async ({ command, signal, output }) => {
    const { key, program, args } = command;
    const environment = checkEnvironment(parts, command);
    const problem = wordsProblem2([program, ...args], environment);
    if (problem !== void 0) return { problem: `${program} cannot run: ${problem}.` };
    if (command.confined !== void 0) return { problem: `Nothing confines ${program} at another host.` };
    const input = { name: "scorer-input.json", text: JSON.stringify(command.input, null, 2) };
    const { stdout, stderr } = output;
    const started = await startSshProgram(parts.place, {
      key,
      program: { program, args, environment },
      input,
      stdout,
      stderr,
      signal
    });
    return "refused" in started ? { problem: `${program} cannot run: ${refusalText(started.refused)}.` } : started;
  };
}
function checkEnvironment(parts, { environment, key, storeId }) {
  return { ...passedOn(parts.environment, parts.passed), ...environment, ...leaseEntries(key, storeId) };
}
function wordsProblem2(words, environment) {
  const name = Object.keys(environment).find((key) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(key));
  if (name !== void 0) return `the variable ${JSON.stringify(name)} has a name that no shell can export`;
  return [...words, ...Object.values(environment)].some(hasNul) ? "an argument or a variable has a NUL in it" : void 0;
}
async function archiveOf(files, { root, task }) {
  const pieces = [];
  for await (const { path, bytes } of stagedFiles(files, root, task.input_files)) {
    const facts = await stat4(join11(root, path)).catch(() => void 0);
    pieces.push(tarEntry({ path, bytes, isExecutable: ((facts?.mode ?? 0) & 64) !== 0 }));
  }
  return pieces.length === 0 ? [] : [...pieces, tarEnd];
}
function withLeavings(program, folder, evidence) {
  let notes = [];
  const ended = program.ended.then(async (end) => {
    ;
    ({ notes } = end);
    return { ...end, ...await evidenceOf(end, folder, evidence) };
  });
  return { ...program, ended, takeLeavings: async () => notes, release: async () => void 0 };
}
async function evidenceOf({ evidence }, folder, path) {
  if (path === void 0 || evidence.found === "none") return {};
  const found = evidence.found;
  await keepEvidenceFile(folder, { path, found }, evidence.bytes);
  return { evidenceRoot: evidenceRoot(folder) };
}

// src/transports/ssh/ssh-link.ts
var sweepLimitMs = 1e4;
async function openSshLink(parts, launch, signal) {
  signal.throwIfAborted();
  const client = await openSshClient(parts, launch, signal);
  const variables = { owner: ownerMark(launch), incarnation: incarnationMark(launch) };
  const anchor = client.run(
    anchorScript,
    { variables },
    { isLast: ([word]) => word === "ready" || word === "refused", shared: "opens" }
  );
  const cut = () => anchor.cut();
  signal.addEventListener("abort", cut, { once: true });
  const said = await anchor.begun;
  signal.removeEventListener("abort", cut);
  if (said?.[0] !== "ready" || signal.aborted) {
    anchor.cut();
    const end = await anchor.ended;
    await client.close();
    signal.throwIfAborted();
    throw new Error(`${parts.host.host}: ${end.kind === "lost" && said === void 0 ? end.reason : refusalText(said ?? [])}`);
  }
  const lost = anchor.ended.then((end) => end.kind === "lost" ? end.reason : "the host ended the connection");
  return {
    run: (script, input, conversation) => client.run(script, input, { ...conversation, shared: "joins" }),
    async sweep(program, name) {
      const end = await client.run(
        sweepScript,
        { variables: { program, name } },
        { isLast: () => true, shared: "joins", startLimitMs: sweepLimitMs }
      ).ended;
      if (end.kind === "said" && end.words[0] === "swept") return;
      anchor.cut();
      await lost;
    },
    lost,
    async close() {
      anchor.cut();
      await anchor.ended;
      await client.close();
    }
  };
}

// src/transports/ssh/commands-over-ssh.ts
var fetchedBytes = 256 * 1048576;
function commandsOverSsh(parts) {
  const { host, clock, environment, files, redactor } = parts;
  const bounds = { ...commandLimits, ...parts.bounds };
  const { termToKillMs: termToKillMs2, drainLimitMs: drainLimitMs2, artifactLimit } = bounds;
  const connected = /* @__PURE__ */ new Map();
  async function open4(launch, signal) {
    const link = await openSshLink(parts, launch, signal);
    const fetched = { files: artifactLimit + 2, bytes: fetchedBytes };
    const place2 = { link, launch, workingDirectory: host.workingDirectory, termToKillMs: termToKillMs2, drainLimitMs: drainLimitMs2, fetched };
    const commands = { place: place2, environment, passed: host.environment, files };
    connected.set(launch.workerId, commands);
    const channel = createCommandChannel(launch, {
      clock,
      environment,
      redactor,
      limits: bounds,
      start: sshCommandStart(commands)
    });
    let ended;
    const leave = () => {
      if (connected.get(launch.workerId) === commands) connected.delete(launch.workerId);
      return ended ??= link.close();
    };
    void link.lost.then((reason) => channel.lose(`the connection to ${host.host} was lost: ${reason}`)).then(leave);
    return {
      ...channel,
      async close(options) {
        await channel.close(options);
        await leave();
      }
    };
  }
  const startCheck2 = async (order) => {
    const commands = connected.get(order.command.worker);
    return commands === void 0 ? { problem: `The host of ${order.command.worker} is not connected.` } : sshCheckStart(commands)(order);
  };
  return {
    open: (launch, { signal }) => open4(launch, signal),
    check: (command, how) => runCheck({ clock, environment, redactor, termToKillMs: termToKillMs2, start: startCheck2 }, command, how)
  };
}

// src/transports/ssh/ssh-worker.ts
import { randomBytes as randomBytes2 } from "node:crypto";
import { once as once3 } from "node:events";
var graceSeconds = 5;
var drainSeconds = 1;
var endLimitMs3 = 1e4;
var lineLimit5 = 1048576;
var sweepLimitMs2 = 1e4;
var sweepPauseMs = 2e3;
async function startOverSsh(parts, command, order) {
  order.signal.throwIfAborted();
  const client = await openSshClient(parts, order.launch, order.signal);
  return startAt(parts, { client, command, order });
}
async function startAt(parts, { client, command, order }) {
  const { launch, log } = order;
  const name = randomBytes2(16).toString("hex");
  const marks = { owner: ownerMark(launch), incarnation: incarnationMark(launch) };
  const program = `${marks.owner}-${marks.incarnation}-${name}`;
  const child = client.spawn("no");
  await once3(child, "spawn").catch(async (error) => {
    await client.close();
    throw error;
  });
  const mark = `flotilla-${randomBytes2(16).toString("hex")}`;
  const variables = {
    ...marks,
    mark,
    name,
    program,
    dir: parts.host.workingDirectory ?? "",
    grace: graceSeconds,
    drain: drainSeconds
  };
  const environment = { ...passedOn(parts.environment, parts.host.environment), ...identityOf(launch), FLOTILLA_MARK: program };
  child.stdin.write(remoteShell(workerScript, { variables, environment, command }));
  const stderr = createLineReader({ limit: lineLimit5, emit: log });
  const stdout = createLineReader({ limit: lineLimit5, emit: log });
  child.stderr.on("data", stderr.write).on("error", () => {
  });
  let hasBegun = false;
  const connection = stdioConnection({
    input: child.stdin,
    output: child.stdout,
    other(bytes) {
      if (!hasBegun && Buffer.from(bytes).toString() === `${mark} started`) hasBegun = true;
      else stdout.write(bytes);
    }
  });
  const gone = new AbortController();
  child.on("error", () => {
  });
  const ended = once3(child, "close").then(() => {
    stderr.end();
    stdout.end();
    gone.abort();
    connection.end(exitReason2(child, parts.host.host));
  });
  let stopping;
  async function stop2(graceMs) {
    child.stdin.end();
    await parts.clock.sleep(graceMs, { signal: gone.signal });
    if (!gone.signal.aborted) await sweep();
    await parts.clock.sleep(endLimitMs3, { signal: gone.signal });
    if (!gone.signal.aborted) child.kill("SIGKILL");
    await ended;
    if (hasBegun && !isConfirmed(child)) await sweepUntilGone();
    child.stdin.destroy();
    await client.close();
  }
  async function sweep() {
    const limits = { startLimitMs: sweepLimitMs2, endLimitMs: sweepLimitMs2 };
    const sweeping = client.run(sweepScript, { variables: { program, name } }, { isLast: () => true, shared: "no", ...limits });
    const end = await sweeping.ended;
    return end.kind === "said" && end.words[0] === "swept";
  }
  async function sweepUntilGone() {
    const { clock } = parts;
    const deadline = clock.monotonic() + launch.leaseTtlMs;
    while (!await sweep() && clock.monotonic() < deadline) await clock.sleep(sweepPauseMs);
  }
  return {
    connection,
    stop: (graceMs) => {
      if (graceMs === 0 && stopping !== void 0 && !gone.signal.aborted) void sweep();
      return stopping ??= stop2(graceMs);
    }
  };
}
function identityOf({ storeId, workerId, incarnation }) {
  return { FLOTILLA_STORE: storeId, FLOTILLA_WORKER: workerId, FLOTILLA_INCARNATION: incarnation };
}
function isConfirmed({ exitCode }) {
  return exitCode !== null && exitCode !== connectionFailed;
}
var connectionFailed = 255;
function exitReason2(child, host) {
  if (!isConfirmed(child)) return `the connection to ${host} ended`;
  return `it exited with code ${child.exitCode}`;
}
export {
  commandsInContainers,
  commandsOverSsh,
  containerName,
  createContainerClient,
  createImageKeeper,
  createPool,
  fleetUser,
  inherited,
  labelsOf,
  localCommands,
  nobody,
  reapContainers,
  startOverSsh,
  startThread,
  startWorkerProgram
};
