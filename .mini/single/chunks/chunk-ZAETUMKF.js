import {
  FleetError,
  FleetRunId,
  atLeastOne,
  contract,
  f64,
  filled,
  flag,
  formatPath,
  hiddenText,
  i32,
  json,
  line,
  optional,
  pattern,
  text,
  token,
  u32,
  u64,
  withoutAbsent
} from "./chunk-XBBK4D7O.js";
import {
  __callDispose,
  __using
} from "./chunk-RFYV5G4X.js";

// src/transports/orphans.ts
import { readdirSync, readFileSync as readFileSync2 } from "node:fs";
import { readFile } from "node:fs/promises";

// src/transports/process-group.ts
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
function signalGroup(group, signal) {
  outcomeOrNothing(() => process.kill(-group, signal));
}
function signalProcess(pid, signal) {
  outcomeOrNothing(() => process.kill(pid, signal));
}
function isGroupAlive(group) {
  return outcomeOrNothing(() => process.kill(-group, 0)) ?? false;
}
function processFacts(pid) {
  return process.platform === "linux" ? factsFromProc(pid) : factsFromPs(pid);
}
function factsFromProc(pid) {
  const stat = outcomeOrNothing(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields && { parent: Number(fields[1]), group: Number(fields[2]), started: fields[19] ?? "" };
}
function hasEnded({ pid, started }) {
  const stat = outcomeOrNothing(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  const [state = "X", ...fields] = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
  return state === "Z" || state === "X" || fields[18] !== started;
}
function factsFromPs(pid) {
  const { status, stdout } = spawnSync("ps", ["-o", "ppid=,pgid=,lstart=", "-p", String(pid)], { encoding: "utf8" });
  if (status !== 0) return void 0;
  const [parent, group, ...started] = stdout.trim().split(/\s+/);
  return { parent: Number(parent), group: Number(group), started: started.join(" ") };
}
function outcomeOrNothing(act) {
  try {
    return act();
  } catch {
    return void 0;
  }
}

// src/transports/orphans.ts
var scans = 100;
var pauseMs = 50;
async function reapOrphans(options) {
  if (process.platform === "linux") return killCarriers({ entries: [`FLOTILLA_STORE=${options.storeId}`], clock: options.clock });
  return killRecorded(options.recorded);
}
async function killCarriers({
  entries,
  clock,
  since
}) {
  if (process.platform !== "linux") return;
  const isRecent = since !== void 0 && clock.monotonic() - since.at < recentMs;
  const after = isRecent ? lowestPid(since.pid) : 0;
  if (after > 0 && youngerThan(after).length === 0) return;
  const spared = lineage();
  for (let scan = 0; scan < scans; scan += 1) {
    const found = await carriers(entries, spared.pids, after);
    if (found.length === 0) return;
    for (const { pid, group } of found) {
      if (!spared.groups.has(group)) signalGroup(group, "SIGKILL");
      signalProcess(pid, "SIGKILL");
    }
    await clock.sleep(pauseMs);
  }
  const left = (await carriers(entries, spared.pids, after)).map((carrier) => carrier.pid);
  if (left.length === 0) return;
  throw new FleetError(
    "handler_unresponsive",
    `Processes ${left.join(", ")} of an earlier attempt do not die. End them by hand.`,
    {
      details: { pids: left }
    }
  );
}
async function killRecorded(recorded) {
  const spared = lineage();
  for (const { group, started } of recorded) {
    if (started === "" || spared.groups.has(group)) continue;
    const leader = processFacts(group);
    if (leader?.started === started) signalGroup(group, "SIGKILL");
  }
}
var recentMs = 5e3;
function lowestPid(pid) {
  const last = Number(readFileSync2("/proc/loadavg", "utf8").trim().split(" ").at(-1));
  return last >= pid ? pid : 0;
}
function youngerThan(pid) {
  return readdirSync("/proc").map(Number).filter((one) => one > pid);
}
async function carriers(entries, spared, after) {
  const found = [];
  for (const pid of youngerThan(after)) {
    if (spared.has(pid)) continue;
    const environment = after > 0 ? environmentNow(pid) : await environmentSoon(pid);
    if (environment === "") continue;
    const present = new Set(environment.split("\0"));
    if (!entries.every((entry) => present.has(entry))) continue;
    const stat = processFacts(pid);
    if (stat !== void 0) found.push({ pid, group: stat.group });
  }
  return found;
}
function environmentNow(pid) {
  try {
    return readFileSync2(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}
function environmentSoon(pid) {
  return readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
}
function lineage() {
  const pids = /* @__PURE__ */ new Set();
  const groups = /* @__PURE__ */ new Set();
  for (let pid = process.pid; pid > 0 && !pids.has(pid); ) {
    const stat = processFacts(pid);
    pids.add(pid);
    if (stat === void 0) break;
    groups.add(stat.group);
    pid = stat.parent;
  }
  return { pids, groups };
}

// src/security/sandbox-view.ts
var ownPlaces = ["/usr", "/etc", "/proc", "/dev", "/sys", "/run", "/tmp"];
var hostPlaces = ["/proc", "/dev", "/sys", "/run"];
function rootProblem(root) {
  const held = ownPlaces.find((place) => isIn(place, root));
  if (held !== void 0) return `its workspace root ${root} holds ${held}, which a sandbox has of its own`;
  const around = hostPlaces.find((place) => isIn(root, place));
  return around === void 0 ? void 0 : `its workspace root ${root} lies in ${around}, which no sandbox is shown`;
}
function viewOptions(view) {
  const { folder, input, artifacts, readsArtifacts } = view;
  return [
    ...view.system.flatMap(({ path, link }) => link === void 0 ? ["--ro-bind", path, path] : ["--symlink", link, path]),
    ...["--proc", "/proc", "--dev", "/dev"],
    ...memory("/tmp", view.temporaryBytes),
    ...memory("/dev/shm", view.temporaryBytes),
    ...view.readable.flatMap((path) => ["--ro-bind", path, path]),
    ...["--ro-bind", view.root, view.root],
    ...view.writable.flatMap((path) => ["--bind", path, path]),
    ...view.hidden.flatMap((path) => memory(path, 4096)),
    ...memory(folder, view.folderBytes),
    ...readsArtifacts ? ["--ro-bind", artifacts, artifacts] : ["--dir", artifacts],
    ...["--ro-bind", input, input],
    ...["/proc", "/dev", ...view.hidden, "/"].flatMap((path) => ["--remount-ro", path])
  ];
}
function memory(path, bytes) {
  return ["--size", String(bytes), "--tmpfs", path];
}
function isIn(path, folder) {
  return path === folder || folder === "/" || path.startsWith(`${folder}/`);
}

// src/security/sandbox.ts
var sandboxLimits = {
  processes: 512,
  memoryBytes: 4 * 1024 ** 3,
  fileBytes: 256 * 1024 ** 2,
  folderBytes: 256 * 1024 ** 2,
  temporaryBytes: 64 * 1024 ** 2
};
var descriptors = { options: 3, facts: 4, said: 5, go: 6, filter: 7, names: 8 };
var sayings = { ready: "ready", missing: "missing" };
function sandboxPlan(launch, host2) {
  const { program, args, environment, identity, network, view, limits } = launch;
  const inside = { ...environment, HOME: view.folder, TMPDIR: "/tmp" };
  const readable = [...host2.settings, ...network ? host2.networkSettings : [], ...view.readable];
  return {
    program: host2.bwrap,
    args: [
      ...["--args", String(descriptors.options), "--info-fd", String(descriptors.facts), "--"],
      ...[host2.shell, "-c", gate, program, ...limited(host2.prlimit, limits), "--", program, ...args]
    ],
    options: [
      ...isolation(network),
      ...["--seccomp", String(descriptors.filter), "--chdir", view.root, "--clearenv"],
      ...Object.entries(inside).flatMap(([name, value]) => ["--setenv", name, value]),
      ...["--ro-bind-data", String(descriptors.names), "/etc/passwd"],
      ...viewOptions({ ...view, readable })
    ],
    environment: identity,
    names: `nobody:x:65534:65534::${view.folder}:${host2.shell}
`
  };
}
function isolation(network) {
  return [
    ...["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try"],
    ...network ? [] : ["--unshare-net"],
    ...["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--uid", "65534", "--gid", "65534", "--hostname", "sandbox"]
  ];
}
function limited(prlimit, limits) {
  const { processes, memoryBytes, fileBytes } = limits;
  const bounds = { core: 0, nproc: processes, fsize: fileBytes, data: memoryBytes, as: 4 * memoryBytes };
  return [prlimit, ...Object.entries(bounds).map(([name, most2]) => `--${name}=${most2}:${most2}`)];
}
var gate = [
  `command -v -- "$0" >/dev/null || { echo ${sayings.missing} >&${descriptors.said}; exit 127; }`,
  `echo ${sayings.ready} >&${descriptors.said}`,
  `read -r _ <&${descriptors.go} || exit 126`,
  `exec ${descriptors.said}>&- ${descriptors.go}<&-`,
  'exec "$@"'
].join("\n");

// src/transports/commands/sandbox-probe.ts
import { spawnSync as spawnSync2 } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync as readdirSync2, readFileSync as readFileSync3, readlinkSync, rmdirSync, writeFileSync } from "node:fs";
import { join as join2 } from "node:path";

// src/security/seccomp/bpf.ts
var verdicts = { allow: 2147418112, errno: 327680, killProcess: 2147483648 };
var places = { number: 0, architecture: 4 };
function load(place) {
  return { code: 32, yes: 0, no: 0, k: place };
}
function keepBits(mask) {
  return { code: 84, yes: 0, no: 0, k: mask };
}
function ifEqual(k, yes, no) {
  return { code: 21, yes, no, k };
}
function ifGreater(k, yes, no) {
  return { code: 37, yes, no, k };
}
function answer(k) {
  return { code: 6, yes: 0, no: 0, k };
}
function argumentPlace(index) {
  return 16 + 8 * index;
}
function encode(program) {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, { code, yes, no, k }] of program.entries()) {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, yes);
    view.setUint8(index * 8 + 3, no);
    view.setUint32(index * 8 + 4, k, true);
  }
  return bytes;
}

// src/security/seccomp/system-calls.ts
var auditNames = { x64: 3221225534, arm64: 3221225655 };
var newestCall = 462;
var errors = { notPermitted: 1, notImplemented: 38, familyNotSupported: 97 };
var refusedCalls = [
  {
    because: "they change what a process sees of the machine",
    errno: errors.notPermitted,
    calls: {
      unshare: [272, 97],
      setns: [308, 268],
      mount: [165, 40],
      umount2: [166, 39],
      pivot_root: [155, 41],
      chroot: [161, 51],
      fsopen: [430, 430],
      fsconfig: [431, 431],
      fsmount: [432, 432],
      fspick: [433, 433],
      move_mount: [429, 429],
      open_tree: [428, 428],
      mount_setattr: [442, 442],
      swapon: [167, 224],
      swapoff: [168, 225],
      quotactl: [179, 60],
      quotactl_fd: [443, 443],
      acct: [163, 89]
    }
  },
  {
    because: "they reach into other processes",
    errno: errors.notPermitted,
    calls: {
      ptrace: [101, 117],
      process_vm_readv: [310, 270],
      process_vm_writev: [311, 271],
      process_madvise: [440, 440],
      process_mrelease: [448, 448],
      kcmp: [312, 272],
      pidfd_getfd: [438, 438]
    }
  },
  {
    because: "they speak to rarely used and often broken parts of the kernel",
    errno: errors.notPermitted,
    calls: {
      bpf: [321, 280],
      perf_event_open: [298, 241],
      userfaultfd: [323, 282],
      kexec_load: [246, 104],
      kexec_file_load: [320, 294],
      init_module: [175, 105],
      finit_module: [313, 273],
      delete_module: [176, 106],
      create_module: [174, "none"],
      query_module: [178, "none"],
      get_kernel_syms: [177, "none"],
      reboot: [169, 142],
      syslog: [103, 116],
      lookup_dcookie: [212, 18],
      nfsservctl: [180, 42],
      iopl: [172, "none"],
      ioperm: [173, "none"],
      modify_ldt: [154, "none"],
      uselib: [134, "none"],
      sysfs: [139, "none"],
      _sysctl: [156, "none"],
      vhangup: [153, 58],
      add_key: [248, 217],
      request_key: [249, 218],
      keyctl: [250, 219]
    }
  },
  {
    because: "they open files past their paths, watch all of them, or make fifos and devices",
    errno: errors.notPermitted,
    calls: {
      open_by_handle_at: [304, 265],
      name_to_handle_at: [303, 264],
      fanotify_init: [300, 262],
      fanotify_mark: [301, 263],
      mknod: [133, "none"],
      mknodat: [259, 33]
    }
  },
  {
    because: "they set the clock, the name or the memory policy of the machine",
    errno: errors.notPermitted,
    calls: {
      settimeofday: [164, 170],
      clock_settime: [227, 112],
      clock_adjtime: [305, 266],
      adjtimex: [159, 171],
      sethostname: [170, 161],
      setdomainname: [171, 162],
      move_pages: [279, 239],
      migrate_pages: [256, 238],
      mbind: [237, 235],
      set_mempolicy: [238, 237],
      set_mempolicy_home_node: [450, 450]
    }
  },
  {
    because: "they hold memory that no limit of a process counts",
    errno: errors.notImplemented,
    calls: { memfd_create: [319, 279], memfd_secret: [447, 447], shmget: [29, 194], msgget: [68, 186] }
  },
  {
    because: "a filter cannot see what they do: programs fall back to calls that it sees",
    errno: errors.notImplemented,
    calls: {
      io_uring_setup: [425, 425],
      io_uring_enter: [426, 426],
      io_uring_register: [427, 427],
      clone3: [435, 435],
      openat2: [437, 437]
    }
  }
];
var allBits = 4294967295;
var namespaceFlags = 2114060288;
var ownersRights = { mask: 3072, values: [0], are: "allowed", errno: errors.notPermitted };
var whenCreated = 4194368;
var judgedCalls = {
  /** AF_INET and AF_INET6. A unix socket would reach servers of the host by their files, and netlink, vsock and packets the kernel. */
  socket: { numbers: [41, 198], argument: 0, mask: allBits, values: [2, 10], are: "allowed", errno: errors.familyNotSupported },
  /** SOCK_STREAM and SOCK_SEQPACKET: a pair of datagram sockets can be turned to the host's sockets. */
  socketpair: { numbers: [53, 199], argument: 1, mask: 15, values: [1, 5], are: "allowed", errno: errors.notPermitted },
  clone: { numbers: [56, 220], argument: 0, mask: namespaceFlags, values: [0], are: "allowed", errno: errors.notPermitted },
  /** TIOCSTI and TIOCLINUX type into a terminal. */
  ioctl: { numbers: [16, 29], argument: 1, mask: allBits, values: [21522, 21532], are: "refused", errno: errors.notPermitted },
  /** Only the usual one, and asking which it is. */
  personality: {
    numbers: [135, 92],
    argument: 0,
    mask: allBits,
    values: [0, allBits],
    are: "allowed",
    errno: errors.notPermitted
  },
  chmod: { numbers: [90, "none"], argument: 1, ...ownersRights },
  fchmod: { numbers: [91, 52], argument: 1, ...ownersRights },
  fchmodat: { numbers: [268, 53], argument: 2, ...ownersRights },
  fchmodat2: { numbers: [452, 452], argument: 2, ...ownersRights },
  creat: { numbers: [85, "none"], argument: 1, ...ownersRights },
  open: { numbers: [2, "none"], argument: 2, ...ownersRights, when: { argument: 1, mask: whenCreated } },
  openat: { numbers: [257, 56], argument: 3, ...ownersRights, when: { argument: 2, mask: whenCreated } }
};

// src/security/seccomp/filter.ts
function seccompFilter(architecture) {
  return encode([
    load(places.architecture),
    ifEqual(auditNames[architecture], 1, 0),
    answer(verdicts.killProcess),
    load(places.number),
    ifGreater(newestCall, 0, 1),
    refuse(errors.notImplemented),
    ...refusedCalls.flatMap(
      ({ errno, calls }) => Object.values(calls).flatMap((numbers) => onCall(numbers, architecture, [refuse(errno)]))
    ),
    ...Object.values(judgedCalls).flatMap((call) => onCall(call.numbers, architecture, judge(call))),
    answer(verdicts.allow)
  ]);
}
function onCall(numbers, architecture, instructions) {
  const number = architecture === "x64" ? numbers[0] : numbers[1];
  return number === "none" ? [] : [ifEqual(number, 0, instructions.length), ...instructions];
}
function judge({ argument, mask, values, are, errno, when }) {
  const [listed, others] = are === "allowed" ? [allow, refuse(errno)] : [refuse(errno), allow];
  const condition = when === void 0 ? [] : [load(argumentPlace(when.argument)), keepBits(when.mask), ifEqual(0, 0, 1), allow];
  return [
    ...condition,
    load(argumentPlace(argument)),
    keepBits(mask),
    ...values.map((value, index) => ifEqual(value, values.length - index, 0)),
    others,
    listed
  ];
}
var allow = answer(verdicts.allow);
function refuse(errno) {
  return answer(verdicts.errno + errno);
}

// src/transports/executable.ts
import { accessSync, constants } from "node:fs";
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

// src/transports/commands/process-budget.ts
import { mkdtemp, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
var ownProcesses = 2;
var removals = 200;
var pauseMs2 = 10;
async function createProcessBudget(options) {
  const group = await mkdtemp(join(options.groups, `flotilla-${process.pid}-`));
  await writeFile(join(group, "pids.max"), String(options.processes + ownProcesses));
  return {
    counted: (command) => joinGroup(options.shell, group, command),
    close: () => remove(group, options.clock)
  };
}
async function remove(group, clock) {
  for (let tried = 0; tried < removals; tried += 1) {
    const isRemoved = await rmdir(group).then(
      () => true,
      () => false
    );
    if (isRemoved) return;
    await clock.sleep(pauseMs2);
  }
}
function joinGroup(shell, group, command) {
  return [shell, "-c", 'echo 0 > "$0/cgroup.procs" && exec "$@"', group, ...command];
}

// src/transports/commands/sandbox-probe.ts
var patienceMs = 1e4;
var removals2 = 200;
var pauseMs3 = 10;
var programFolders = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"];
var systemFolders = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
var settings = [
  "alternatives",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "localtime",
  "os-release",
  "ssl/certs",
  "ssl/openssl.cnf",
  "pki/tls/certs"
];
var networkSettings = ["gai.conf", "host.conf", "hosts", "nsswitch.conf", "protocols", "resolv.conf", "services"];
function probeSandbox() {
  if (process.platform !== "linux") return { missing: `sandboxes take Linux, and this is ${process.platform}` };
  const architecture = process.arch;
  if (!isKnown(architecture)) return { missing: `there is no system call filter for ${architecture}` };
  const [bwrap, shell, prlimit] = ["bwrap", "sh", "prlimit"].map(findProgram);
  if (bwrap === void 0) return { missing: "bubblewrap is not installed (bwrap is not on the path)" };
  if (shell === void 0 || prlimit === void 0) return { missing: "sh and prlimit (util-linux) are not both installed" };
  const inEtc = (names) => names.map((name) => join2("/etc", name)).filter((path) => existsSync(path));
  const host2 = {
    architecture,
    bwrap,
    shell,
    prlimit,
    system: systemFolders.flatMap(systemFolder),
    settings: inEtc(settings),
    networkSettings: inEtc(networkSettings)
  };
  return process.getuid?.() === 0 ? probeAsRoot(host2) : judged(host2, confine(host2));
}
function probeAsRoot(host2) {
  const found = controlGroups();
  if (found === void 0)
    return { missing: "the fleet runs as root, whose processes only a control group can bound, and none can be made here" };
  const group = join2(found, `flotilla-${process.pid}-probe`);
  try {
    mkdirSync(group, { recursive: true });
    writeFileSync(join2(group, "pids.max"), String(probeProcesses + 2));
    return judged({ ...host2, processGroups: found }, confine(host2, group));
  } catch (error) {
    return { missing: `the fleet runs as root, whose processes only a control group can bound, and ${String(error)}` };
  } finally {
    for (const name of readdirSync2(found).filter(isForsaken)) removeIfEmpty(join2(found, name));
    removeOnceEmpty(group);
  }
}
function isForsaken(name) {
  const [, pid] = /^flotilla-(\d+)-/.exec(name) ?? [];
  return pid !== void 0 && !existsSync(`/proc/${pid}`);
}
function removeOnceEmpty(group) {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let tried = 0; tried < removals2 && !removeIfEmpty(group); tried += 1) Atomics.wait(pause, 0, 0, pauseMs3);
}
function removeIfEmpty(group) {
  try {
    rmdirSync(group);
    return true;
  } catch {
    return !existsSync(group);
  }
}
var probeProcesses = 4;
function confine(host2, group) {
  const { bwrap, shell, prlimit, system } = host2;
  const files = system.flatMap(({ path, link }) => link === void 0 ? ["--ro-bind", path, path] : ["--symlink", link, path]);
  const view = [...files, "--proc", "/proc", "--dev", "/dev", "--size", "65536", "--tmpfs", "/tmp", "--remount-ro", "/"];
  const script = `grep -q '^Seccomp:.2' /proc/self/status && echo filtered; for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; echo unbounded`;
  const command = [
    ...[bwrap, ...isolation(false), ...view, "--seccomp", "0", "--"],
    ...[...limited(prlimit, { ...sandboxLimits, processes: probeProcesses }), "--", shell, "-c", script]
  ];
  const [program = bwrap, ...args] = group === void 0 ? command : joinGroup(shell, group, command);
  return spawnSync2(program, args, {
    input: seccompFilter(host2.architecture),
    env: {},
    encoding: "utf8",
    timeout: patienceMs,
    killSignal: "SIGKILL"
  });
}
function judged(host2, { stdout, stderr, error, signal }) {
  const said = stdout.trim().split("\n");
  if (said.includes("filtered") && !said.includes("unbounded")) return { host: host2 };
  if (said.includes("unbounded")) return { missing: "bubblewrap runs, but the number of processes is not bounded" };
  if (signal !== null) return { missing: `bubblewrap did not come up within ${patienceMs / 1e3} s` };
  return {
    missing: `bubblewrap cannot build a sandbox: ${error?.message ?? (stderr.trim().split("\n")[0] || "it gave no reason")}`
  };
}
function isKnown(architecture) {
  return architecture === "x64" || architecture === "arm64";
}
function findProgram(name) {
  return programFolders.map((folder) => join2(folder, name)).find(isExecutable);
}
function systemFolder(path) {
  const facts = lstatSync(path, { throwIfNoEntry: false });
  if (facts === void 0) return [];
  return [facts.isSymbolicLink() ? { path, link: readlinkSync(path) } : { path }];
}
function controlGroups() {
  const has = (path, word) => existsSync(path) && readFileSync3(path, "utf8").split(/\s/).includes(word);
  if (existsSync("/sys/fs/cgroup/pids/cgroup.procs")) return "/sys/fs/cgroup/pids";
  return has("/sys/fs/cgroup/cgroup.subtree_control", "pids") ? "/sys/fs/cgroup" : void 0;
}

// src/protocol/attempt-key.ts
function attemptKey({ run_id, task_id, attempt: attempt2 }) {
  return { run_id, task_id, attempt: attempt2 };
}
function attemptId({ run_id, task_id, attempt: attempt2 }) {
  return `${run_id}/${task_id}/${attempt2}`;
}

// src/security/container.ts
var containerLimits = {
  processes: 512,
  memoryBytes: 4 * 1024 ** 3,
  cpus: 0,
  fileBytes: 256 * 1024 ** 2,
  temporaryBytes: 64 * 1024 ** 2
};
var labelNames = {
  store: "flotilla.store",
  worker: "flotilla.worker",
  incarnation: "flotilla.incarnation",
  kind: "flotilla.kind",
  attempt: "flotilla.attempt"
};
var openFiles = 4096;
var userProcesses = 16384;
var dialects = {
  docker: { options: [], memory: "" },
  // Proxies of the host may have passwords in them; a file system in memory would begin with a copy of what the image has in its place.
  podman: { options: ["--http-proxy=false", "--image-volume=tmpfs"], memory: ",notmpcopyup" }
};
function containerArguments(launch, { runtime, isRootless }) {
  const { limits } = launch;
  const { options, memory: memory2 } = dialects[runtime];
  const pairs = (option, of) => Object.entries(of).flatMap(([name, value]) => [option, `${name}=${value}`]);
  const inMemory = (path, bytes, mode) => ["--tmpfs", `${path}:rw,size=${bytes},mode=${mode}${memory2}`];
  const bound = (name, most2) => ["--ulimit", `${name}=${most2}:${most2}`];
  return [
    ...["run", "--name", launch.name, "--pull=never", "--init", "--sig-proxy=false", "--log-driver=none", "--no-healthcheck"],
    ...launch.hasInput ? ["--interactive"] : [],
    ...pairs("--label", launch.labels),
    ...["--user", launch.user, "--cap-drop=ALL", "--security-opt=no-new-privileges", "--hostname=sandbox"],
    ...launch.filter === void 0 ? [] : [`--security-opt=seccomp=${launch.filter}`],
    // Otherwise the user of the fleet would be somebody else inside, who may not write what is shown.
    ...runtime === "podman" && isRootless ? ["--userns=keep-id"] : [],
    ...launch.network === void 0 ? [] : ["--network", launch.network],
    ...[`--pids-limit=${limits.processes}`, `--memory=${limits.memoryBytes}`, `--memory-swap=${limits.memoryBytes}`],
    ...limits.cpus > 0 ? [`--cpus=${limits.cpus}`] : [],
    ...[
      ...bound("nofile", openFiles),
      ...bound("nproc", userProcesses),
      ...bound("fsize", limits.fileBytes),
      ...bound("core", 0)
    ],
    ...["--read-only", `--shm-size=${limits.temporaryBytes}`],
    ...inMemory("/tmp", limits.temporaryBytes, "1777"),
    ...inMemory("/run", 65536, "755"),
    ...inMemory("/var/tmp", 65536, "1777"),
    ...launch.mounts.flatMap(({ source, target, writable }) => ["--volume", `${source}:${target}:${writable ? "rw" : "ro"}`]),
    ...pairs("--env", launch.variables),
    ...launch.named.flatMap((name) => ["--env", name]),
    ...launch.folder === void 0 ? [] : ["--workdir", launch.folder],
    ...options,
    ...launch.replacesProgram ? ["--entrypoint="] : [],
    ...["--", launch.image, ...launch.command]
  ];
}

// src/security/container-words.ts
var longestImage = 512;
var host = "[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,252}[a-zA-Z0-9])?(?::[0-9]{1,5})?";
var part = "[a-z0-9]+(?:(?:[.]|_{1,2}|-{1,8})[a-z0-9]+)*";
var tag = ":[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
var digest = "@[A-Za-z][A-Za-z0-9+._-]{0,31}:[0-9a-fA-F]{32,128}";
var reference = new RegExp(`^(?:${host}/)?${part}(?:/${part})*(?:${tag})?(?:${digest})?$`);
function imageProblem(image) {
  if (image.length > longestImage) return `the name of an image has at most ${longestImage} characters`;
  return reference.test(image) ? void 0 : "it is no name of an image: expected [registry/]name[:tag][@digest]";
}
function wordsProblem(words) {
  return words.some((word) => word.includes("\0")) ? "a word of a command line cannot hold a NUL" : void 0;
}
function mountProblem(path) {
  if (!path.startsWith("/")) return `${JSON.stringify(path)} is no absolute path`;
  return /[:\p{Cc}]/u.test(path) ? `${JSON.stringify(path)} has a colon or a control character in it, which no path that a container is shown may have` : void 0;
}
function isNetworkName(name) {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(name);
}

// src/security/secret-names.ts
var steering = /^(?:FLOTILLA_.*|LD_.*|DYLD_.*|LC_.*|BASH_FUNC_.*|PATH|HOME|SHELL|USER|LOGNAME|PWD|OLDPWD|IFS|ENV|BASH_ENV|SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|CDPATH|LANG|LANGUAGE|TZ|TMPDIR|TMP|TEMP|NODE_OPTIONS|NODE_PATH|NODE_EXTRA_CA_CERTS|NODE_TLS_REJECT_UNAUTHORIZED|PYTHON(?:PATH|HOME|STARTUP|INSPECT|BREAKPOINT)|PERL5?(?:LIB|OPT|DB)|RUBY(?:LIB|OPT)|GEM_PATH|GEM_HOME|_?JAVA_(?:TOOL_)?OPTIONS|CLASSPATH|GIT_(?:SSH|SSH_COMMAND|EXTERNAL_DIFF|PAGER|EDITOR|EXEC_PATH|PROXY_COMMAND|ASKPASS|CONFIG.*)|SSH_ASKPASS|EDITOR|VISUAL|PAGER|BROWSER|GCONV_PATH|MALLOC_.*|GLIBC_TUNABLES|NLSPATH|HOSTALIASES|RES_OPTIONS|OPENSSL_CONF|SSL_CERT_(?:FILE|DIR)|(?:HTTPS?|ALL|NO|FTP)_PROXY|CC|CXX|MAKEFLAGS)$/i;
function variableProblem(key) {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return "cannot be the name of an environment variable";
  return steering.test(key) ? "is a variable that programs and the fleet itself go by" : void 0;
}

// src/transports/program.ts
import { spawn } from "node:child_process";
import { once } from "node:events";
var closeMs = 200;
async function startProgram(launch, options) {
  const { clock, drainLimitMs, hasInput = false, beyond = [], asked } = options;
  const { program, args, cwd, environment } = launch;
  const standard = [hasInput ? "pipe" : "ignore", "pipe", "pipe"];
  const spawned = spawn(program, args, { cwd, env: environment, detached: true, shell: false, stdio: [...standard, ...beyond] });
  const child = spawned;
  const exited = happening(child, "exit");
  const closed = happening(child, "close");
  await once(child, "spawn");
  child.on("error", () => {
  });
  const group = child.pid;
  const started = processFacts(group)?.started ?? "";
  if (options.stdout !== void 0) child.stdout.on("data", options.stdout);
  child.stdout.on("error", () => {
  });
  child.stderr.on("data", options.stderr).on("error", () => {
  });
  return {
    record: { group, started },
    pipes: child.stdio,
    terminate(graceMs) {
      if (exited.signal.aborted) return;
      signalGroup(asked?.() ?? group, "SIGTERM");
      void clock.sleep(graceMs, { signal: exited.signal }).then(() => {
        if (!exited.signal.aborted) signalGroup(group, "SIGKILL");
      });
    },
    ended: endOf({ child, group, exited, closed, clock, drainLimitMs })
  };
}
async function endOf(parts) {
  const { child, group, exited, closed, clock, drainLimitMs } = parts;
  const hasLeftMembers = await exited.promise.then(() => isGroupAlive(group));
  await clock.sleep(drainLimitMs, { signal: closed.signal });
  if (hasLeftMembers) signalGroup(group, "SIGKILL");
  await clock.sleep(closeMs, { signal: closed.signal });
  const isDrained = closed.signal.aborted;
  child.stdout.destroy();
  child.stderr.destroy();
  return {
    ...child.exitCode === null ? {} : { exitCode: child.exitCode },
    ...child.signalCode === null ? {} : { signal: child.signalCode },
    isDrained
  };
}
function happening(child, event) {
  const controller = new AbortController();
  const promise = new Promise(
    (resolve) => child.once(event, () => {
      controller.abort();
      resolve();
    })
  );
  return { promise, signal: controller.signal };
}

// src/transports/command-way.ts
function commandsOver(kind, parts) {
  const { enforces, load: load2, reap } = parts;
  let loading;
  const way = () => loading ??= load2();
  return {
    kind,
    get enforces() {
      return enforces();
    },
    checks: {
      get enforces() {
        return enforces();
      },
      run: async (command, how) => (await way()).check(command, how)
    },
    heartbeats: "fleet",
    startsAtOnce: false,
    survives: false,
    serves: { handlers: [], commands: true, plain: false },
    open: async (launch, how) => (await way()).open(launch, how),
    ...reap !== void 0 && { reap }
  };
}

// src/transports/enforcement.ts
function unconfined(because) {
  return { network: false, fileWrites: false, environment: false, processes: false, because };
}
function enforcementOf(probed) {
  return "missing" in probed ? unconfined(probed.missing) : { network: true, fileWrites: true, environment: true, processes: true };
}

// src/transports/commands/command.ts
var commandLimits = {
  termToKillMs: 5e3,
  drainLimitMs: 2e3,
  lineLimit: 1024 * 1024,
  unreadLimit: 4 * 1024 * 1024,
  artifactLimit: 1e3
};
function commandTransport(options) {
  const { clock, probe = probeSandbox } = options;
  let answer2;
  const probed = () => answer2 ??= probe();
  return commandsOver("command", {
    enforces: () => enforcementOf(probed()),
    load: async () => (await import("./launched-RU4XXFJ7.js")).localCommands({ ...options, probe: probed }),
    reap: ({ storeId, recorded }) => reapOrphans({ storeId, recorded, clock })
  });
}

// src/transports/message-channel.ts
function createMessageChannel(weigh2 = () => 1) {
  let head;
  let tail;
  let backlog = 0;
  let ended = false;
  let isRead = false;
  let handOver;
  const take = () => {
    if (head === void 0) return ended ? { done: true, value: void 0 } : void 0;
    const { message } = head;
    head = head.next;
    if (head === void 0) tail = void 0;
    backlog -= weigh2(message);
    return { done: false, value: message };
  };
  const give = (result) => {
    const waiting = handOver;
    handOver = void 0;
    waiting?.(result);
  };
  const end = () => {
    ended = true;
    if (head === void 0) give({ done: true, value: void 0 });
  };
  return {
    push(message) {
      if (ended) return;
      if (handOver !== void 0) return give({ done: false, value: message });
      const node = { message, next: void 0 };
      if (tail === void 0) head = node;
      else tail.next = node;
      tail = node;
      backlog += weigh2(message);
    },
    end,
    get backlog() {
      return backlog;
    },
    [Symbol.asyncIterator]() {
      if (isRead)
        throw new TypeError(
          "A message channel has one reader, and this one has it already. Read it once and pass the messages on."
        );
      isRead = true;
      return {
        next() {
          const taken = take();
          if (taken !== void 0) return Promise.resolve(taken);
          return new Promise((resolve) => handOver = resolve);
        },
        async return() {
          head = tail = void 0;
          backlog = 0;
          end();
          return { done: true, value: void 0 };
        }
      };
    }
  };
}

// src/transports/containers/container-options.ts
function termsOf({
  image,
  network,
  user,
  readable = [],
  bounds
}) {
  const [uid, gid] = (user ?? "").split(":").map(Number);
  return {
    ...{ image, network, readable },
    user: uid === void 0 || gid === void 0 ? void 0 : { uid, gid },
    limits: { ...containerLimits, ...bounds }
  };
}

// src/transports/containers/container-program.ts
var looks = { firstMs: 250, mostMs: 2e3 };
var askAgainMs = 100;
var clientLimitMs = 5e3;
var firstOwnCode = 125;
var killedCode = 137;
async function startContainer(launch, start) {
  const { client, clock, drainLimitMs, startLimitMs } = start;
  const { host: host2 } = client;
  const { name, hasInput } = launch;
  const recent = createTail();
  const stderr = (bytes) => {
    recent.write(bytes);
    start.stderr(bytes);
  };
  const program = await startProgram(
    {
      program: host2.program,
      args: containerArguments(launch, host2),
      cwd: "/",
      environment: { ...host2.environment, ...start.environment }
    },
    { clock, drainLimitMs, hasInput, stdout: start.stdout, stderr }
  );
  if (hasInput) start.input?.(program.pipes[0].on("error", () => {
  }));
  const exited = new AbortController();
  const running = { client, clock, name, exited: exited.signal };
  let isLate = false;
  void untilStarted(running, startLimitMs).then((seen) => {
    if (seen !== "late") return;
    isLate = true;
    program.terminate(0);
  });
  return {
    record: program.record,
    pipes: program.pipes,
    ended: program.ended.then(async (end) => {
      exited.abort();
      const never = isLate ? `${host2.runtime} did not start it within ${startLimitMs / 1e3} s` : void 0;
      return endOf2(end, { client, launch, said: recent.text(), never });
    }),
    terminate(graceMs) {
      if (!exited.signal.aborted) void terminate(running, program, graceMs);
    }
  };
}
async function terminate({ client, clock, name, exited }, program, graceMs) {
  const until = clock.monotonic() + graceMs;
  while (!await client.signal(name, "TERM") && !exited.aborted && clock.monotonic() < until) {
    await clock.sleep(askAgainMs, { signal: exited });
  }
  await clock.sleep(until - clock.monotonic(), { signal: exited });
  const last = clock.monotonic() + clientLimitMs;
  while (!exited.aborted && clock.monotonic() < last) {
    const isHeard = await client.signal(name, "KILL");
    await clock.sleep(isHeard ? last - clock.monotonic() : askAgainMs, { signal: exited });
  }
  if (!exited.aborted) program.terminate(0);
}
async function untilStarted({ client, clock, name, exited }, limitMs) {
  const until = clock.monotonic() + limitMs;
  for (let waitMs = looks.firstMs; ; waitMs = Math.min(waitMs * 2, looks.mostMs)) {
    await clock.sleep(waitMs, { signal: exited });
    if (exited.aborted) return "exited";
    const state = await client.state(name).catch(() => void 0);
    if (state?.hasStarted === true) return "started";
    if (clock.monotonic() >= until) return exited.aborted ? "exited" : "late";
  }
}
async function endOf2(end, of) {
  const { client, launch, said } = of;
  const isPlain = end.exitCode !== void 0 && end.exitCode < firstOwnCode;
  const state = isPlain ? void 0 : await client.state(launch.name).catch(() => void 0);
  const isLeft = !await client.remove(launch.name);
  const left = { isDrained: end.isDrained, ...isLeft && { isLeft } };
  const missing = missingProgram(end, said);
  if (missing !== void 0) return { ...left, unrunnable: missing };
  const unstarted = of.never ?? (isPlain || state?.hasStarted === true ? void 0 : said.trim() || endingOf(end));
  if (unstarted !== void 0) return { ...left, lost: unstarted };
  if (end.exitCode === killedCode) {
    const may = state?.isOutOfMemory === true ? "it needed" : "it may have needed";
    return { ...left, signal: "SIGKILL", because: `${may} more than ${launch.limits.memoryBytes} bytes of memory` };
  }
  return { ...end, ...left, ...state?.isRunning === true && { because: "the client of its container ended" } };
}
function endingOf({ exitCode, signal }) {
  return `its client ended with ${exitCode === void 0 ? signal ?? "a signal" : `the exit code ${exitCode}`}`;
}
var unexecuted = /^(?:ERROR \(catatonit:\d+\): failed to exec pid1|\[FATAL tini \(\d+\)\] exec .* failed|\[flotilla\] exec failed): (.+)$/m;
function missingProgram({ exitCode }, said) {
  if (exitCode !== 1 && exitCode !== 126 && exitCode !== 127) return void 0;
  return initProblem(said);
}
function initProblem(said) {
  return unexecuted.exec(said)?.[1];
}
function createTail() {
  const decoder = new TextDecoder();
  let text2 = "";
  return {
    write(bytes) {
      text2 = (text2 + decoder.decode(bytes, { stream: true })).slice(-2e3);
    },
    text: () => text2
  };
}

// src/protocol/worker-protocol.ts
var workerProtocolVersion = 1;
var transferPieceBytes = 512 * 1024;

// src/protocol/worker-frame.ts
import { z as z2 } from "zod";

// src/protocol/route.ts
import { z } from "zod";

// src/protocol/credential.ts
var credential = /:\/\/[^/]*@|\bbearer\s|\b(?:api[_-]?key|access[_-]?token|token|secret|password)\s*[=:]|\bsk-[\w-]{8}|\bgh[opsu]_\w{8}|\bxox[abp]-|\bAKIA[A-Z0-9]{8}/i;
function holdsCredential(value) {
  return credential.test(value);
}

// src/protocol/route.ts
var routeText = hiddenText("text that holds no credential", (value) => !holdsCredential(value));
var RouteReport = contract(
  "the route",
  () => z.object({
    provider_id: routeText,
    provider_exact_id: optional(routeText),
    provider_kind: routeText,
    canonical_model: optional(routeText),
    wire_model_id: optional(routeText),
    protocol: routeText,
    model_route: optional(routeText),
    reasoning_effort: optional(routeText)
  }).overwrite(withoutAbsent)
);

// src/protocol/size-limit.ts
var mebibyte = 1048576;
var sizeLimits = {
  taskFile: { maxBytes: 64 * mebibyte, maxDepth: 64 },
  httpBody: { maxBytes: 8 * mebibyte, maxDepth: 64 },
  message: { maxBytes: mebibyte, maxDepth: 64 }
};
function checkSize(bytes, limits) {
  if (bytes.length > limits.maxBytes) throw tooLarge(`${bytes.length} bytes`, `${limits.maxBytes} bytes`, limits);
  let depth = 0;
  let inText = false;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    if (inText) {
      if (byte === backslash) index++;
      else if (byte === quotationMark) inText = false;
    } else if (byte === quotationMark) inText = true;
    else if (byte === openBracket || byte === openBrace) {
      if (++depth > limits.maxDepth) throw tooDeep(limits);
    } else if (byte === closeBracket || byte === closeBrace) depth--;
  }
}
var quotationMark = 34;
var backslash = 92;
var openBracket = 91;
var closeBracket = 93;
var openBrace = 123;
var closeBrace = 125;
function tooDeep(limits) {
  return tooLarge(`more than ${limits.maxDepth} levels`, `${limits.maxDepth} levels`, limits);
}
function tooLarge(has, limit, limits) {
  return new FleetError("too_large", `The document has ${has}; the limit is ${limit}. Split it.`, { details: { ...limits } });
}

// src/protocol/worker-frame.ts
function readWorkerFrame(bytes) {
  try {
    checkSize(bytes, sizeLimits.message);
    const reading = workerFrame.read(JSON.parse(utf8.decode(bytes)));
    if (!reading.ok) {
      const lines = reading.problems.map(({ path, expected }) => `${formatPath(path) || "the message"}: expected ${expected}`);
      return refused(lines.join("\n"));
    }
    return { ok: true, frame: reading.value };
  } catch (error) {
    if (FleetError.is(error, "too_large")) return { ok: false, refusal: error };
    return refused(error instanceof SyntaxError ? "expected a line of JSON" : "expected UTF-8 text");
  }
}
var utf8 = new TextDecoder("utf-8", { fatal: true });
function refused(problems) {
  const what = `What the worker sent is no message of the protocol, and was not taken:
${problems}`;
  return { ok: false, refusal: new FleetError("invalid_message", what, { details: { problems: problems.split("\n") } }) };
}
var workerFrame = contract("the message", () => z2.discriminatedUnion("type", [...controlFrames(), ...attemptFrames()]));
var attempt = () => ({ run_id: FleetRunId.schema, task_id: token, attempt: atLeastOne });
var numberedAttempt = () => ({ ...attempt(), seq: atLeastOne });
var progressEvent = () => z2.discriminatedUnion("state", [
  z2.object({ state: z2.literal("model_wait"), model: optional(z2.string()) }),
  z2.object({ state: z2.literal("running_tool"), tool: z2.string(), call_id: optional(z2.string()) }),
  z2.object({ state: z2.literal("workflow_event"), workflow_run_id: z2.string(), event: json })
]);
var base64Text = () => text("base64", (value) => value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value));
function controlFrames() {
  const key = attempt();
  const numbered = numberedAttempt();
  return [
    z2.object({
      type: z2.literal("hello"),
      protocol: atLeastOne,
      worker_id: optional(token),
      incarnation: optional(line),
      token: optional(z2.string()),
      handlers: optional(z2.array(filled)),
      plain: optional(flag),
      capabilities: optional(z2.array(filled)),
      resumes: optional(flag),
      attempts: z2.array(z2.object({ ...key, acked: u32, heard: u32 }))
    }),
    z2.object({ type: z2.literal("ack"), ...numbered }),
    z2.object({ type: z2.literal("ping") }),
    z2.object({ type: z2.literal("pong") }),
    z2.object({ type: z2.literal("drain"), reason: optional(z2.string()) }),
    z2.object({ type: z2.literal("bye"), reason: z2.string() })
  ];
}
function attemptFrames() {
  const key = attempt();
  const numbered = numberedAttempt();
  const base64 = base64Text();
  return [
    z2.object({
      type: z2.literal("accepted"),
      ...numbered,
      process: optional(z2.object({ group: atLeastOne, started: z2.string() }))
    }),
    z2.object({ type: z2.literal("heartbeat"), ...key, cpu_percent: optional(f64), memory_mb: optional(u64) }),
    z2.object({ type: z2.literal("progress"), ...numbered, event: progressEvent() }),
    z2.object({ type: z2.literal("usage"), ...numbered, input_tokens: u64, output_tokens: u64 }),
    z2.object({ type: z2.literal("route"), ...numbered, route: RouteReport.schema }),
    z2.object({ type: z2.literal("log"), ...numbered, text: z2.string() }),
    z2.object({ type: z2.literal("chunk"), ...numbered, transfer: u32, bytes: base64 }),
    z2.object({
      type: z2.literal("artifact"),
      ...numbered,
      report: u32,
      kind: filled,
      path: filled,
      bytes: optional(base64),
      transfer: optional(u32),
      mime_type: optional(z2.string()),
      checksum: optional(pattern('a checksum "sha256:" and 64 hex digits', /^sha256:[0-9A-Fa-f]{64}$/)),
      size_bytes: optional(u64)
    }),
    z2.object({
      type: z2.literal("evidence"),
      ...numbered,
      path: filled,
      found: z2.enum(["file", "missing", "no_file", "refused"]),
      transfer: optional(u32),
      reason: optional(z2.string())
    }),
    z2.object({
      type: z2.literal("result"),
      ...numbered,
      exit_code: optional(i32),
      summary: optional(z2.string()),
      output: json.optional(),
      schema_accepted: optional(flag)
    }),
    z2.object({
      type: z2.literal("failed"),
      ...numbered,
      reason: z2.string(),
      failure_kind: z2.enum(["transport", "task"]),
      exit_code: optional(i32),
      recoverable: optional(flag)
    }),
    z2.object({ type: z2.literal("stopped"), ...numbered, released: optional(z2.string()) })
  ];
}

// src/transports/session/framed-connection.ts
function frameConnection(connection) {
  const waiting = [];
  let listener;
  let ended;
  let isRefused = false;
  const send = (frame) => connection.send(JSON.stringify(frame));
  const end = (reason) => {
    if (ended !== void 0) return;
    ended = reason;
    listener?.end(reason);
  };
  const close = (reason) => {
    connection.close(reason);
    end(reason);
  };
  const refuse2 = (code, reason) => {
    if (isRefused || ended !== void 0) return;
    isRefused = true;
    send({ type: "refused", code, reason });
    close(reason);
  };
  const take = (frame) => {
    if (frame.type === "ping") return send({ type: "pong" });
    if (listener === void 0) waiting.push(frame);
    else listener.frame(frame);
  };
  connection.listen({
    line(line2) {
      if (isRefused || ended !== void 0) return;
      const reading = readWorkerFrame(typeof line2 === "string" ? encoder.encode(line2) : line2);
      if (reading.ok) take(reading.frame);
      else refuse2(reading.refusal.code, reading.refusal.message);
    },
    end
  });
  return {
    send,
    refuse: refuse2,
    close,
    listen(hearing) {
      listener = hearing;
      for (const frame of waiting.splice(0)) hearing.frame(frame);
      if (ended !== void 0) hearing.end(ended);
    },
    pause: (isPaused) => connection.pause?.(isPaused)
  };
}
var encoder = new TextEncoder();
function outOfPlace(what) {
  return new FleetError("invalid_message", `The worker sent ${what}, so it was not taken. Mend the worker.`);
}

// src/transports/session/worker-greeting.ts
function greet(connection, options) {
  const { clock, helloTimeoutMs, signal } = options;
  const line2 = frameConnection(connection);
  return new Promise((resolve, reject) => {
    const waiting = [];
    let later;
    let ended;
    let isSettled = false;
    const settle = (act) => {
      if (isSettled) return;
      isSettled = true;
      disarm();
      signal?.removeEventListener("abort", abort);
      act();
    };
    const refuse2 = (code, reason) => settle(() => {
      line2.refuse(code, reason);
      reject(new FleetError("invalid_message", reason));
    });
    const abort = () => settle(() => {
      line2.close("the start was given up");
      reject(new FleetError("fleet_closed", "The start of the worker was given up."));
    });
    const disarm = clock.alarm(
      helloTimeoutMs,
      () => refuse2("invalid_message", `The worker did not say hello within ${helloTimeoutMs / 1e3} s.`),
      { keepAlive: false }
    );
    if (signal?.aborted === true) abort();
    signal?.addEventListener("abort", abort);
    line2.listen({
      frame(frame) {
        if (later !== void 0) return later.frame(frame);
        if (isSettled) return void waiting.push(frame);
        if (frame.type !== "hello") return refuse2("invalid_message", outOfPlace(`a ${frame.type} before its hello`).message);
        if (frame.protocol !== workerProtocolVersion) {
          const reason = `The worker speaks version ${frame.protocol} of the worker protocol; this fleet speaks ${workerProtocolVersion}.`;
          return refuse2("unsupported_protocol", reason);
        }
        settle(
          () => resolve({
            hello: frame,
            line: {
              ...line2,
              listen(listener) {
                later = listener;
                for (const early of waiting.splice(0)) listener.frame(early);
                if (ended !== void 0) listener.end(ended);
              }
            }
          })
        );
      },
      end(reason) {
        ended = reason;
        later?.end(reason);
        settle(() => reject(new FleetError("invalid_message", `The worker was gone before it said hello: ${reason}.`)));
      }
    });
  });
}

// src/transports/session/transfer-limit.ts
var maxTransferBytes = 64 * 1048576;

// src/transports/session/attempt-line.ts
function createAttemptLine({ run_id, task_id, attempt: attempt2 }) {
  const unacked = /* @__PURE__ */ new Map();
  return {
    key: { run_id, task_id, attempt: attempt2 },
    heard: 0,
    dealt: 0,
    acked: 0,
    sent: 0,
    unacked,
    hasEnded: false,
    transfers: void 0,
    transferred: 0,
    pending: void 0,
    hasEvidence: false,
    folder: void 0,
    forget(seq) {
      for (const number of unacked.keys()) if (number <= seq) unacked.delete(number);
    }
  };
}
function addPiece(line2, transfer, piece) {
  line2.transfers ??= /* @__PURE__ */ new Map();
  const pieces = line2.transfers.has(transfer) ? line2.transfers.get(transfer) : [];
  line2.transferred += piece.length;
  if (pieces === void 0 || line2.transferred > maxTransferBytes) {
    line2.transferred -= piece.length + sizeOf(pieces);
    line2.transfers.set(transfer, void 0);
  } else {
    pieces.push(piece);
    line2.transfers.set(transfer, pieces);
  }
}
function takeTransfer(line2, transfer) {
  const known = line2.transfers?.has(transfer) === true;
  const pieces = line2.transfers?.get(transfer);
  line2.transfers?.delete(transfer);
  line2.transferred -= sizeOf(pieces);
  return pieces === void 0 && known ? void 0 : Buffer.concat(pieces ?? []);
}
function sizeOf(pieces) {
  return (pieces ?? []).reduce((sum, piece) => sum + piece.length, 0);
}

// src/transports/session/attempt-lines.ts
var AttemptLines = class {
  #lines = /* @__PURE__ */ new Map();
  /** The line of an attempt, made when there is none; the oldest of those that have ended, or were never assigned, go first. */
  of(key) {
    const name = attemptId(key);
    let line2 = this.#lines.get(name);
    if (line2 === void 0) {
      this.#lines.set(name, line2 = createAttemptLine(key));
      if (this.#lines.size > most) this.#forgetOne();
    }
    return line2;
  }
  find(key) {
    return this.#lines.get(attemptId(key));
  }
  /** Takes a worker's word for what it knows, and how far it has come; nothing else is remembered. */
  take(known) {
    for (const attempt2 of known) {
      const line2 = this.of(attempt2);
      line2.heard = Math.max(line2.heard, attempt2.acked);
      line2.sent = Math.max(line2.sent, attempt2.heard);
      line2.forget(attempt2.heard);
    }
    const names = new Set(known.map(attemptId));
    for (const name of this.#lines.keys()) if (!names.has(name)) this.#lines.delete(name);
  }
  all() {
    return this.#lines.values();
  }
  #forgetOne() {
    for (const [name, line2] of this.#lines) {
      if (!line2.hasEnded && line2.folder !== void 0) continue;
      this.#lines.delete(name);
      return;
    }
  }
};
var most = 1e3;

// src/transports/session/evidence-store.ts
import { mkdir, open, symlink } from "node:fs/promises";
import { dirname, join as join3 } from "node:path";

// src/protocol/path-text.ts
function relativeProblem(path) {
  if (path.startsWith("/")) return "is absolute";
  return pathProblem(path);
}
function pathProblem(path) {
  if (path === "") return "is empty";
  if (new RegExp("\\p{Cc}", "u").test(path)) return "holds a control character";
  if (path.split("/").includes("..")) return "holds `..`";
  return void 0;
}

// src/transports/session/evidence-store.ts
function evidenceRoot(folder) {
  return join3(folder, "evidence");
}
async function keepEvidenceFile(folder, { path, found }, bytes) {
  var _stack = [];
  try {
    const root = evidenceRoot(folder);
    await mkdir(root, { recursive: true });
    if (found === "missing" || relativeProblem(path) !== void 0) return;
    const target = join3(root, path);
    if (found === "no_file") {
      await mkdir(target, { recursive: true });
      return;
    }
    await mkdir(dirname(target), { recursive: true });
    if (found === "refused") return await symlink("/", target);
    const file = __using(_stack, await open(target, "w"), true);
    await file.writeFile(bytes);
    await file.datasync();
  } catch (_) {
    var _error = _, _hasError = true;
  } finally {
    var _promise = __callDispose(_stack, _error, _hasError);
    _promise && await _promise;
  }
}

// src/transports/session/staged-files.ts
async function* stagedFiles(files, root, named) {
  const paths = /* @__PURE__ */ new Set();
  for (const name of named) for (const path of await pathsOf(files, root, name)) paths.add(path);
  let left = maxTransferBytes;
  for (const path of paths) {
    const real = await files.real(`${root}/${path}`);
    if (real === void 0 || !real.startsWith(root === "/" ? root : `${root}/`)) continue;
    const bytes = await files.read(real, { limit: left, within: root }).catch((error) => {
      if (!FleetError.is(error, "too_large")) throw error;
      throw new FleetError("too_large", `input_files: together they are larger than ${maxTransferBytes} bytes. Leave some out.`);
    });
    left -= bytes.length;
    yield { path, bytes };
  }
}
async function pathsOf(files, root, name) {
  const facts = await files.facts(await files.real(`${root}/${name}`) ?? `${root}/${name}`);
  if (facts?.kind === "file") return [name];
  if (facts?.kind === "folder") return (await files.find(`${root}/${name}`, ["**"])).map((path) => `${name}/${path}`);
  return files.find(root, [name]);
}

// src/transports/session/session-acknowledging.ts
function createAcknowledging(parts) {
  const { lines, kept, transmit } = parts;
  let working;
  let isMore = false;
  function later() {
    isMore = true;
    working ??= acknowledge().finally(() => working = void 0);
  }
  async function acknowledge() {
    while (isMore) {
      isMore = false;
      const reached = [...lines.all()].filter(({ dealt, acked }) => dealt > acked).map((line2) => [line2, line2.dealt]);
      await kept();
      for (const [line2, seq] of reached) {
        line2.acked = Math.max(line2.acked, seq);
        transmit({ type: "ack", ...line2.key, seq });
      }
    }
  }
  return {
    dealt(message) {
      const line2 = message.seq === void 0 ? void 0 : lines.find(message);
      if (line2 === void 0 || message.seq === void 0) return;
      if (message.seq > line2.dealt) line2.dealt = message.seq;
      later();
    },
    repeated(line2) {
      if (line2.acked > 0) transmit({ type: "ack", ...line2.key, seq: line2.acked });
      if (line2.dealt > line2.acked) later();
    }
  };
}

// src/transports/session/session-hearing.ts
function createHearing(parts) {
  const { lines, sharesFiles, push, answer: answer2, violate, repeated } = parts;
  function take(frame) {
    const known = lines.find(frame);
    const line2 = known ?? lines.of(frame);
    if (known === void 0) line2.heard = frame.seq - 1;
    if (frame.seq <= line2.heard) return repeated(line2);
    if (line2.hasEnded) return violate(outOfPlace(`a message of the type ${frame.type} after the last one of its attempt`));
    if (frame.seq > line2.heard + 1)
      return violate(outOfPlace(`the message ${frame.seq} of an attempt where ${line2.heard + 1} was expected`));
    line2.heard = frame.seq;
    if (frame.type === "chunk") addPiece(line2, frame.transfer, Buffer.from(frame.bytes, "base64"));
    else if (frame.type === "evidence") takeEvidence(line2, frame);
    else if (frame.type === "artifact") takeArtifact(line2, frame);
    else {
      line2.hasEnded = frame.type === "result" || frame.type === "failed" || frame.type === "stopped";
      handOn(line2, frame);
    }
  }
  function takeEvidence(line2, frame) {
    const bytes = frame.transfer === void 0 ? void 0 : takeTransfer(line2, frame.transfer);
    const { folder } = line2;
    if (sharesFiles || folder === void 0) return;
    line2.hasEvidence = true;
    line2.pending = (line2.pending ?? Promise.resolve()).then(() => keepEvidenceFile(folder, frame, bytes ?? new Uint8Array()));
  }
  function takeArtifact(line2, frame) {
    const { bytes: written, transfer, ...rest } = frame;
    const inLine = written === void 0 ? void 0 : Buffer.from(written, "base64");
    const bytes = transfer === void 0 ? inLine : takeTransfer(line2, transfer);
    if (bytes !== void 0 || sharesFiles && transfer === void 0) {
      return handOn(line2, { ...rest, ...bytes !== void 0 && { bytes: new Uint8Array(bytes) } });
    }
    const refused2 = transfer === void 0 ? `${frame.path} came by its path, but this worker's files are not the fleet's. Send its bytes.` : `${frame.path} is larger than what a worker elsewhere may send.`;
    answer2({ type: "collected", ...line2.key, report: frame.report, refused: refused2 });
  }
  function handOn(line2, message) {
    if (line2.pending === void 0) return push(message);
    line2.pending = line2.pending.then(
      () => push(message.type === "result" && line2.hasEvidence ? withEvidence(line2, message) : message),
      (error) => {
        const reason = `What its scorer reads could not be kept: ${String(error)}`;
        push(message.type === "result" ? { ...line2.key, type: "failed", failure_kind: "transport", reason } : message);
      }
    );
  }
  return { take };
}
function withEvidence(line2, message) {
  return { ...message, ...line2.folder !== void 0 && { evidence_root: evidenceRoot(line2.folder) } };
}

// src/transports/session/session-saying.ts
function createSaying(parts) {
  const { lines, resumes, sharesFiles, files, transmit, push } = parts;
  function say(line2, message) {
    line2.sent += 1;
    const frame = { ...message, seq: line2.sent };
    if (resumes) line2.unacked.set(line2.sent, frame);
    transmit(frame);
  }
  function assign(message) {
    const line2 = lines.of(message);
    line2.folder = message.folder;
    if (sharesFiles) return say(line2, message);
    const { folder: _, root, ...rest } = message;
    if (message.task.input_files.length === 0) return say(line2, rest);
    line2.pending = stage(line2, root, message.task.input_files).then(
      () => say(line2, rest),
      (error) => {
        const reason = `Its input files could not be sent: ${error instanceof Error ? error.message : String(error)}`;
        push({ ...line2.key, type: "failed", failure_kind: "transport", reason });
      }
    );
  }
  async function stage(line2, root, named) {
    let transfer = 0;
    for await (const { path, bytes } of stagedFiles(files, root, named)) {
      transfer += 1;
      for (let at = 0; at < bytes.length; at += transferPieceBytes) {
        const piece = Buffer.from(bytes.subarray(at, at + transferPieceBytes)).toString("base64");
        say(line2, { type: "chunk", ...line2.key, transfer, bytes: piece });
      }
      say(line2, { type: "file", ...line2.key, path, transfer });
    }
  }
  return {
    send(message) {
      if (message.type === "assign") assign(message);
      else say(lines.of(message), message);
    },
    resend() {
      for (const line2 of lines.all()) for (const frame of line2.unacked.values()) transmit(frame);
    }
  };
}

// src/transports/session/worker-session.ts
var unreadLimit = 4 * 1048576;
var silentBeats = 3;
function openSession({ hello, line: connection }, terms) {
  const { launch, clock, sharesFiles, files, lines = new AttemptLines() } = terms;
  const resumes = hello.resumes === true;
  const messages = createMessageChannel(weigh);
  const heartbeatMs = launch.leaseTtlMs / 4;
  let announceEnd;
  const closed = new Promise((resolve) => announceEnd = resolve);
  let closing;
  let isOver = false;
  let isPaused = false;
  let lastHeard = clock.monotonic();
  let disarmBeat = () => void 0;
  const transmit = (frame) => {
    if (!isOver) connection.send(frame);
  };
  const push = (message) => {
    messages.push(message);
    if (isPaused || messages.backlog < unreadLimit) return;
    isPaused = true;
    connection.pause(true);
  };
  const saying = createSaying({ lines, resumes, sharesFiles, files, transmit, push });
  const acknowledging = createAcknowledging({ lines, kept: launch.kept, transmit });
  const hearing = createHearing({
    ...{ lines, sharesFiles, push, answer: saying.send },
    violate: (error) => connection.refuse(error.code, error.message),
    repeated: (line2) => resumes && acknowledging.repeated(line2)
  });
  function take(frame) {
    if (isOver) return;
    lastHeard = clock.monotonic();
    switch (frame.type) {
      case "hello": {
        const { code, message } = outOfPlace("a second hello");
        return connection.refuse(code, message);
      }
      case "ack":
        return lines.find(frame)?.forget(frame.seq);
      case "bye":
        return connection.close(`the worker left: ${frame.reason}`);
      case "ping":
      case "pong":
        return;
      case "drain":
        return messages.push({ type: "drain" });
      case "heartbeat":
        return messages.push(frame);
      default:
        return hearing.take(frame);
    }
  }
  async function* dealing() {
    for await (const message of messages) {
      if (isPaused && messages.backlog < unreadLimit / 2) {
        isPaused = false;
        connection.pause(false);
      }
      yield message;
      if (resumes && message.type !== "hello" && message.type !== "drain") acknowledging.dealt(message);
    }
  }
  function over(reason) {
    if (isOver) return;
    isOver = true;
    disarmBeat();
    const end = () => {
      messages.end();
      announceEnd({ reason: closing ?? reason, asked: closing !== void 0 });
    };
    const pending = [...lines.all()].flatMap((line2) => line2.pending ?? []);
    if (pending.length === 0) end();
    else void Promise.allSettled(pending).then(end);
  }
  function beat() {
    if (clock.monotonic() - lastHeard > silentBeats * heartbeatMs) return connection.close("nothing was heard of the worker");
    transmit({ type: "ping" });
    disarmBeat = clock.alarm(heartbeatMs, beat, { keepAlive: false });
  }
  function begin() {
    const { workerId, incarnation, slots, leaseTtlMs } = launch;
    lines.take(hello.attempts);
    transmit({
      ...{ type: "welcome", protocol: workerProtocolVersion, worker_id: workerId, incarnation, slots },
      ...{ lease_ttl_ms: leaseTtlMs, heartbeat_ms: heartbeatMs, shares_files: sharesFiles }
    });
    saying.resend();
    const attempts = hello.attempts.map(({ run_id, task_id, attempt: attempt2 }) => ({ run_id, task_id, attempt: attempt2 }));
    messages.push({ type: "hello", worker_id: workerId, incarnation, attempts });
    connection.listen({ frame: take, end: over });
    if (resumes && !isOver) disarmBeat = clock.alarm(heartbeatMs, beat, { keepAlive: false });
  }
  begin();
  return {
    send: saying.send,
    messages: dealing(),
    closed,
    async close({ reason, graceMs }) {
      if (isOver) return;
      if (closing === void 0) transmit({ type: "bye", reason, grace_ms: graceMs });
      closing ??= reason;
      const gone = new AbortController();
      void closed.then(() => gone.abort());
      await clock.sleep(graceMs, { signal: gone.signal });
      connection.close(reason);
      over(reason);
    }
  };
}
function weigh(message) {
  return message.type === "log" ? message.text.length : 0;
}

// src/transports/full-disk.ts
function isFullDisk(error) {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}

// src/transports/report-channel.ts
function createReportChannel(send) {
  let waiting;
  let last = 0;
  let ended;
  async function untilNoneWaits(waiting2) {
    while (waiting2.size > 0) await Promise.allSettled([...waiting2.values()].map((answer2) => answer2.promise));
  }
  return {
    report(content) {
      if (ended !== void 0) return Promise.reject(ended);
      const answer2 = withResolvers();
      last += 1;
      waiting ??= /* @__PURE__ */ new Map();
      waiting.set(last, answer2);
      send(last, content);
      return answer2.promise;
    },
    collected({ report, artifact, refused: refused2 }) {
      const answer2 = waiting?.get(report);
      waiting?.delete(report);
      if (artifact !== void 0) answer2?.resolve(artifact);
      else
        answer2?.reject(
          new FleetError("artifact_refused", refused2 ?? "The fleet refused the artifact and gave no reason. See its log.")
        );
    },
    settled: () => waiting === void 0 || waiting.size === 0 ? void 0 : untilNoneWaits(waiting),
    end(reason) {
      ended ??= reason;
      for (const report of waiting?.values() ?? []) report.reject(reason);
      waiting?.clear();
    }
  };
}
function withResolvers() {
  let resolve;
  let reject;
  const promise = new Promise((accept, refuse2) => {
    resolve = accept;
    reject = refuse2;
  });
  return { promise, resolve, reject };
}

export {
  signalGroup,
  isGroupAlive,
  processFacts,
  hasEnded,
  reapOrphans,
  killCarriers,
  refusedCalls,
  judgedCalls,
  seccompFilter,
  rootProblem,
  sandboxLimits,
  descriptors,
  sayings,
  sandboxPlan,
  isExecutable,
  createProcessBudget,
  probeSandbox,
  attemptKey,
  attemptId,
  relativeProblem,
  pathProblem,
  containerLimits,
  labelNames,
  containerArguments,
  imageProblem,
  wordsProblem,
  mountProblem,
  isNetworkName,
  commandsOver,
  unconfined,
  enforcementOf,
  variableProblem,
  startProgram,
  commandLimits,
  commandTransport,
  isFullDisk,
  createReportChannel,
  createMessageChannel,
  termsOf,
  startContainer,
  initProblem,
  holdsCredential,
  routeText,
  RouteReport,
  greet,
  AttemptLines,
  evidenceRoot,
  keepEvidenceFile,
  stagedFiles,
  openSession
};
