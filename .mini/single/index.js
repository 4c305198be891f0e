import {
  AttemptLines,
  RouteReport,
  attemptId,
  attemptKey,
  commandTransport,
  commandsOver,
  containerArguments,
  containerLimits,
  createMessageChannel,
  createReportChannel,
  enforcementOf,
  greet,
  holdsCredential,
  imageProblem,
  initProblem,
  isExecutable,
  isFullDisk,
  isNetworkName,
  killCarriers,
  mountProblem,
  openSession,
  pathProblem,
  probeSandbox,
  reapOrphans,
  relativeProblem,
  routeText,
  sandboxLimits,
  termsOf,
  unconfined,
  variableProblem,
  wordsProblem
} from "./chunks/chunk-ZAETUMKF.js";
import {
  Admission,
  Bell,
  hasEnded,
  layoutOf,
  listRows,
  storeFacts
} from "./chunks/chunk-QE6KGEAA.js";
import {
  FleetError,
  allAtOnce,
  atLeastOne,
  contract,
  copyJson,
  copyingJson,
  describeFound,
  describeHidden,
  displayName,
  distinct,
  errorCodes,
  filePath,
  filled,
  flag,
  formatPath,
  hiddenText,
  i32,
  inSlices,
  invalidDocument,
  isRecord,
  isToken,
  json,
  line,
  list,
  map,
  mergingProblems,
  object,
  optional,
  pattern,
  quote,
  readCopy,
  readPart,
  readingCopy,
  reportingInvalid,
  reservedId,
  sized,
  text,
  timestamp,
  token,
  u16,
  u32,
  u64,
  variableName,
  withoutAbsent
} from "./chunks/chunk-XBBK4D7O.js";
import {
  joinSignals
} from "./chunks/chunk-PCEBIWVM.js";
import {
  __callDispose,
  __using
} from "./chunks/chunk-RFYV5G4X.js";

// src/engine/defaults.ts
var engineDefaults = {
  leaseTtlMs: 6e4,
  attemptTimeoutMs: 30 * 6e4,
  stallAfterMs: void 0,
  closeGraceMs: 1e4,
  handBackGraceMs: 1e4,
  stopGraceMs: 1e4,
  scorerTimeoutMs: 6e4,
  commandScorerTimeoutMs: 10 * 6e4,
  secretTimeoutMs: 3e4,
  workerBackoffMs: { first: 1e3, most: 6e4 },
  abandonedAtOnce: 8,
  maxLeases: 256,
  jitter: false,
  alertTries: 30,
  alertBackoffMs: { first: 5e3, most: 36e5 },
  alertCloseGraceMs: 5e3,
  keptReports: 1e4,
  taskSlice: 1e3,
  snapshotAfter: 1e5,
  snapshotAtEndAfter: 1e4
};

// src/protocol/security.ts
import { z as z2 } from "zod";

// src/protocol/alias.ts
import { z } from "zod";
var aliasNotes = z.registry();
function aliased(schema, aliases, applies = () => true) {
  const names3 = Object.entries(aliases);
  const checked3 = schema.superRefine(
    (value, context) => {
      for (const [alias, name] of names3) {
        if (!isRecord(value) || !applies(value) || !Object.hasOwn(value, alias)) continue;
        const params = { got: "both" };
        context.addIssue({ code: "custom", path: [alias], message: `one of "${name}" and its alias "${alias}"`, params });
      }
    },
    { when: () => true }
  );
  const reading = z.preprocess(
    (value) => isRecord(value) && applies(value) ? renamed(value, names3) : value,
    checked3
  );
  aliasNotes.add(reading, { aliases });
  return reading;
}
function alsoRead(schema, words2, member) {
  const word2 = (value) => typeof value === "string" && Object.hasOwn(words2, value) ? words2[value] : value;
  const reading = z.preprocess((value) => {
    if (member === void 0) return word2(value);
    return isRecord(value) && Object.hasOwn(value, member) ? { ...value, [member]: word2(value[member]) } : value;
  }, schema);
  aliasNotes.add(reading, { aliases: words2 });
  return reading;
}
function renamed(value, names3) {
  if (!names3.some(([alias]) => Object.hasOwn(value, alias))) return value;
  const result = { ...value };
  for (const [alias, name] of names3) {
    if (!Object.hasOwn(result, alias) || Object.hasOwn(result, name)) continue;
    result[name] = result[alias];
    delete result[alias];
  }
  return result;
}

// src/protocol/security.ts
var trustLevels = ["sandbox", "local", "remote_verified", "operator"];
var trustAliases = { "remote-verified": "remote_verified", remoteVerified: "remote_verified" };
var FleetTrustLevel = contract("FleetTrustLevel", () => alsoRead(z2.enum(trustLevels), trustAliases));
function trustRank(level) {
  return trustLevels.indexOf(level);
}
function lowerTrust(one, other) {
  return trustRank(one) <= trustRank(other) ? one : other;
}
function mayAccessSecrets(level) {
  return level !== "sandbox";
}
function mayWriteWorkspace(level) {
  return level === "local" || level === "operator";
}
function mayUseNetwork(level) {
  return level !== "sandbox";
}
var secretObject = () => object({ key: filled, source: optional(filled) });
var FleetSecretRef = contract(
  "FleetSecretRef",
  () => z2.union([filled, secretObject()], { error: "the key of a secret, or an object with `key`" }).transform((ref) => typeof ref === "string" ? { key: ref } : ref)
);
function formatSecretRef(ref) {
  return ref.source === void 0 ? `<secret:${ref.key}>` : `<secret:${ref.source}.${ref.key}>`;
}
var FleetCapabilityGrant = contract(
  "FleetCapabilityGrant",
  () => object({ capability: filled, scope: optional(z2.string()), reason: optional(z2.string()) })
);
var FleetSecurityPolicy = contract(
  "FleetSecurityPolicy",
  () => object({
    default_trust_level: FleetTrustLevel.schema.default("sandbox"),
    allowed_secrets: list(FleetSecretRef.schema),
    capability_grants: list(FleetCapabilityGrant.schema),
    max_trust_level: FleetTrustLevel.schema.default("operator"),
    require_identity_verification: flag.default(false),
    /** Handed to the worker with its assignment. */
    allow_parallel_reads: flag.default(false)
  })
);

// src/security/byte-automaton.ts
function createByteAutomaton(patterns) {
  const trie = createTrie(patterns);
  const { depth, match, pattern: pattern2 } = trie;
  const fail3 = linkFailures(trie);
  return {
    step(state, byte) {
      for (let from = state; ; from = fail3[from] ?? 0) {
        const next = trie.child(from, byte);
        if (next !== 0 || from === 0) return next;
      }
    },
    depthOf: (state) => depth[state] ?? 0,
    matchOf: (state) => match[state] ?? 0,
    patternOf: (state) => pattern2[state] ?? 0,
    longest: Math.max(0, ...patterns.map(({ length }) => length))
  };
}
function createTrie(patterns) {
  const parent = [0];
  const byte = [0];
  const depth = [0];
  const match = [0];
  const pattern2 = [0];
  const onlyByte = [-1];
  const onlyChild = [0];
  const roots = new Int32Array(256);
  const others = /* @__PURE__ */ new Map();
  const child = (state, value) => {
    if (state === 0) return roots[value] ?? 0;
    return onlyByte[state] === value ? onlyChild[state] ?? 0 : others.get(state * 256 + value) ?? 0;
  };
  const add = (state, value) => {
    const made2 = parent.push(state) - 1;
    byte.push(value);
    depth.push((depth[state] ?? 0) + 1);
    match.push(0);
    pattern2.push(0);
    onlyByte.push(-1);
    onlyChild.push(0);
    if (state === 0) roots[value] = made2;
    else if (onlyByte[state] === -1) {
      onlyByte[state] = value;
      onlyChild[state] = made2;
    } else others.set(state * 256 + value, made2);
    return made2;
  };
  for (const [index, bytes] of patterns.entries()) {
    let state = 0;
    for (const value of bytes) state = child(state, value) || add(state, value);
    if (match[state] === 0) pattern2[state] = index;
    match[state] = bytes.length;
  }
  return { child, parent, byte, depth, match, pattern: pattern2 };
}
function linkFailures({ child, parent, byte, depth, match, pattern: pattern2 }) {
  const fail3 = new Int32Array(parent.length);
  const shallowFirst = Array.from(parent.keys()).sort((one, other) => (depth[one] ?? 0) - (depth[other] ?? 0));
  for (const state of shallowFirst) {
    const above = parent[state] ?? 0;
    if (above === 0) continue;
    let from = fail3[above] ?? 0;
    while (from !== 0 && child(from, byte[state] ?? 0) === 0) from = fail3[from] ?? 0;
    const suffix = child(from, byte[state] ?? 0);
    fail3[state] = suffix;
    if (match[state] === 0) {
      match[state] = match[suffix] ?? 0;
      pattern2[state] = pattern2[suffix] ?? 0;
    }
  }
  return fail3;
}

// src/security/redact-json.ts
function redactJson(value, text3) {
  if (typeof value === "string") return text3(value);
  if (typeof value === "number") return spelled(value, String(value), text3);
  if (typeof value !== "object" || value === null) return value;
  return Array.isArray(value) ? redactList(value, text3) : redactObject(value, text3);
}
function redactList(list2, text3) {
  if (list2.length > 1 && list2.every((item) => typeof item === "number")) {
    const told3 = spelled(list2, list2.join(","), text3);
    if (told3 !== list2) return told3;
  }
  const items = list2.map((item) => redactJson(item, text3));
  return items.every((item, index) => item === list2[index]) ? list2 : items;
}
function redactObject(object2, text3) {
  const members = Object.entries(object2).map(([name, member]) => [name, member, text3(name), redactJson(member, text3)]);
  if (members.every(([name, member, newName, newMember]) => name === newName && member === newMember)) return object2;
  const taken = /* @__PURE__ */ new Set();
  return Object.fromEntries(
    members.map(([, , name, member]) => {
      let free = name;
      for (let number = 2; taken.has(free); number++) free = `${name} ${number}`;
      taken.add(free);
      return [free, member];
    })
  );
}
function spelled(value, spelling, text3) {
  const told3 = text3(spelling);
  return told3 === spelling ? value : told3;
}

// src/security/secret-cover.ts
var fallbacks = ["[redacted]", "***", "###", "\xB7\xB7\xB7", "\u25A0", "\u25A1", "\u25C6", "\u25C7", "\u25CF", "\u25CB"];
function safeCover(wanted, known3) {
  return [wanted, ...fallbacks].find((cover2) => isSafe(cover2, known3)) ?? "";
}
function isSafe(cover2, { holdsSecret, values }) {
  if (holdsSecret(cover2)) return false;
  const bytes = new TextEncoder().encode(cover2);
  return values.every(({ bytes: value }) => !overlap(value, bytes) && !overlap(bytes, value));
}
function overlap(one, other) {
  const most = Math.min(one.length, other.length);
  for (let length = 1; length <= most; length++) {
    const end = one.subarray(one.length - length);
    if (end.every((byte, index) => byte === other[index])) return true;
  }
  return false;
}

// src/security/secret-forms.ts
var passOver = -1;
var breakOff = -2;
var base64Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
var writings = [
  {
    fold: foldOf({ keep: everyByte(), also: { " ": "+" } }),
    patternsOf: (value) => [value.map((byte) => byte === 32 ? 43 : byte)]
  },
  { fold: foldOf({ keep: bytesOf(base64Letters), also: { "-": "+", _: "/" }, skip: "\r\n" }), patternsOf: base64Of },
  {
    fold: foldOf({
      keep: bytesOf("0123456789abcdef"),
      also: { A: "a", B: "b", C: "c", D: "d", E: "e", F: "f" },
      skip: " 	\r\n:-,"
    }),
    patternsOf: (value) => [bytesOf(Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join(""))]
  },
  { fold: foldOf({ keep: bytesOf("0123456789,"), skip: " 	\r\n" }), patternsOf: (value) => [bytesOf(value.join(","))] }
];
var shortestLine = 16;
function textsOf(value) {
  const trimmed = value.trim();
  const lines = trimmed.split(/\r?\n/).map((line2) => line2.trim());
  const longLines = lines.length === 1 ? [] : lines.filter((line2) => line2.length >= shortestLine && !line2.startsWith("-----"));
  return [.../* @__PURE__ */ new Set([value, trimmed, ...longLines])];
}
function base64Of(value) {
  return [0, 1, 2].flatMap((before) => {
    const bits = Array.from({ length: before }, () => 0).concat([...value]).map((byte) => byte.toString(2).padStart(8, "0")).join("");
    const first = Math.ceil(before * 8 / 6);
    const whole = Math.floor(bits.length / 6);
    const characters = (to) => bytesOf(
      Array.from({ length: to - first }, (_, index) => {
        const at = (first + index) * 6;
        return base64Letters[Number.parseInt(bits.slice(at, at + 6).padEnd(6, "0"), 2)] ?? "";
      }).join("")
    );
    const alone = characters(whole);
    return bits.length % 6 === 0 ? [alone] : [alone, characters(whole + 1)];
  });
}
function foldOf({
  keep: keep2,
  also = {},
  skip = ""
}) {
  const fold2 = new Int16Array(256).fill(breakOff);
  for (const byte of keep2) fold2[byte] = byte;
  for (const [from, to] of Object.entries(also)) fold2[from.charCodeAt(0)] = to.charCodeAt(0);
  for (const byte of bytesOf(skip)) fold2[byte] = passOver;
  return fold2;
}
function everyByte() {
  return Uint8Array.from({ length: 256 }, (_, byte) => byte);
}
function bytesOf(text3) {
  return new TextEncoder().encode(text3);
}

// src/security/escapes.ts
var escapeKinds = [
  { trigger: code("\\"), read: readBackslash },
  { trigger: code("%"), read: readPercent },
  { trigger: code("&"), read: readReference }
];
var letters = { n: "\n", t: "	", r: "\r", b: "\b", f: "\f", v: "\v", a: "\x07", e: "\x1B" };
var short = Array.from({ length: 256 }, (_, byte) => {
  const letter2 = letters[String.fromCharCode(byte)];
  if (letter2 !== void 0) return [code(letter2)];
  return /[A-Za-z0-9]/.test(String.fromCharCode(byte)) ? "none" : [byte];
});
function readBackslash(bytes) {
  const second = bytes[1];
  if (second === void 0) return "open";
  if (second === code("u")) return readUnicode(bytes);
  if (second === code("x")) return bytes.length < 4 ? openWhile(bytes, 2, isHex) : oneByte(hexOf(bytes, 2, 4));
  if (isOctal(second)) return bytes.length < 4 ? openWhile(bytes, 2, isOctal) : oneByte(octalOf(bytes));
  return short[second] ?? "none";
}
function readUnicode(bytes) {
  if (bytes[2] === code("{")) {
    if (bytes.at(-1) !== code("}")) return bytes.length > 9 || !bytes.slice(3).every(isHex) ? "none" : "open";
    return utf8(hexOf(bytes, 3, bytes.length - 1));
  }
  if (bytes.length < 6) return openWhile(bytes, 2, isHex);
  const first = hexOf(bytes, 2, 6);
  if (first === void 0 || first < 55296 || first > 56319) return utf8(first);
  if (bytes.length < 12) return startsLike(bytes.slice(6), "\\u") ? "open" : "none";
  const second = hexOf(bytes, 8, 12);
  if (second === void 0 || second < 56320 || second > 57343) return "none";
  return utf8(65536 + (first - 55296) * 1024 + (second - 56320));
}
function readPercent(bytes) {
  return bytes.length < 3 ? openWhile(bytes, 1, isHex) : oneByte(hexOf(bytes, 1, 3));
}
var named = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\xA0" };
var longestReference = 12;
function readReference(bytes) {
  const last = bytes[bytes.length - 1] ?? 0;
  if (bytes.length === 1) return "open";
  if (last !== code(";")) {
    const fits = isWord(last) || last === code("#") && bytes.length === 2;
    return fits && bytes.length < longestReference ? "open" : "none";
  }
  const text3 = String.fromCharCode(...bytes);
  const name = text3.slice(1, -1);
  const [, decimal, hex] = /^#(?:(\d+)|[xX]([0-9A-Fa-f]+))$/.exec(name) ?? [];
  if (decimal !== void 0) return utf8(Number(decimal));
  if (hex !== void 0) return utf8(Number.parseInt(hex, 16));
  const character = Object.hasOwn(named, name) ? named[name] : void 0;
  return character === void 0 ? "none" : utf8(character.charCodeAt(0));
}
function openWhile(bytes, from, fits) {
  for (let at = from; at < bytes.length; at++) if (!fits(bytes[at] ?? 0)) return "none";
  return "open";
}
function startsLike(bytes, start) {
  return bytes.every((byte, index) => index < start.length ? byte === start.charCodeAt(index) : isHex(byte));
}
function oneByte(value) {
  return value === void 0 || value > 255 ? "none" : [value];
}
function utf8(point) {
  if (point === void 0 || point > 1114111 || point >= 55296 && point <= 57343) return "none";
  return [...new TextEncoder().encode(String.fromCodePoint(point))];
}
function hexOf(bytes, from, to) {
  const digits = bytes.slice(from, to);
  return digits.length > 0 && digits.every(isHex) ? Number.parseInt(String.fromCharCode(...digits), 16) : void 0;
}
function octalOf(bytes) {
  const digits = bytes.slice(1, 4);
  return digits.every(isOctal) ? Number.parseInt(String.fromCharCode(...digits), 8) : void 0;
}
function isHex(byte) {
  return byte >= 48 && byte <= 57 || byte >= 65 && byte <= 70 || byte >= 97 && byte <= 102;
}
function isWord(byte) {
  return byte >= 48 && byte <= 57 || byte >= 65 && byte <= 90 || byte >= 97 && byte <= 122;
}
function isOctal(byte) {
  return byte >= 48 && byte <= 55;
}
function code(character) {
  return character.charCodeAt(0);
}

// src/security/pattern-track.ts
var mostPassed = 64;
function createPatternTrack(automaton, fold2, found) {
  const size = 2 ** Math.ceil(Math.log2(automaton.longest + 1));
  const position = { state: 0, passed: 0, count: 0, starts: new Float64Array(size) };
  const startOf = (depth) => position.starts[position.count - depth & size - 1] ?? 0;
  return {
    position,
    take(byte, start, end) {
      const folded = fold2[byte] ?? breakOff;
      if (folded < 0) {
        position.passed += 1;
        if (folded === breakOff || position.passed > mostPassed) position.state = 0;
        return;
      }
      position.passed = 0;
      const state = automaton.step(position.state, folded);
      position.state = state;
      if (state === 0) return;
      position.starts[position.count & size - 1] = start;
      position.count += 1;
      const length = automaton.matchOf(state);
      if (length > 0) found(startOf(length), end, automaton.patternOf(state));
    },
    openFrom: () => position.state === 0 ? Infinity : startOf(automaton.depthOf(position.state)),
    goOnFrom(other) {
      position.state = other.position.state;
      position.passed = other.position.passed;
      position.count = other.position.count;
      if (position.state !== 0) position.starts.set(other.position.starts);
    },
    forget() {
      position.state = 0;
    }
  };
}

// src/security/secret-scanner.ts
var deepestMixed = 2;
var deepestSame = 5;
function createSecretScanner(patterns) {
  const root = createLayer(patterns, []);
  return {
    take: (byte, start) => root.take(byte, start, start + 1),
    end: () => root.end(),
    openFrom: () => root.openFrom(),
    forget: () => root.forget()
  };
}
function createLayer(patterns, taken) {
  const tracks = patterns.map(({ automaton, fold: fold2, found }) => createPatternTrack(automaton, fold2, found));
  const escapes = escapeKinds.filter((kind) => taken.length < (taken.every((one) => one === kind) ? deepestSame : deepestMixed)).map((kind) => createEscapeReader(kind, () => createLayer(patterns, [...taken, kind])));
  const begins = beginnings(patterns);
  let idle2 = true;
  return {
    take(byte, start, end) {
      if (idle2 && begins[byte] === 0) return;
      for (const escape of escapes) escape.take(byte, start, end, tracks);
      for (const track of tracks) track.take(byte, start, end);
      idle2 = isQuiet(tracks);
      for (const escape of escapes) if (!escape.isIdle(idle2)) idle2 = false;
    },
    end() {
      for (const escape of escapes) escape.end();
    },
    openFrom: () => Math.min(...tracks.map((track) => track.openFrom()), ...escapes.map((escape) => escape.openFrom())),
    forget() {
      for (const track of tracks) track.forget();
      for (const escape of escapes) escape.forget();
      idle2 = true;
    },
    goOnFrom(below) {
      tracks.forEach((track, index) => {
        const from = below[index];
        if (from !== void 0) track.goOnFrom(from);
      });
      idle2 = isQuiet(tracks);
    },
    isIdle: () => idle2
  };
}
function beginnings(patterns) {
  const begins = new Uint8Array(256);
  for (const { trigger } of escapeKinds) begins[trigger] = 1;
  for (const { automaton, fold: fold2 } of patterns) {
    for (let byte = 0; byte < 256; byte++) {
      const folded = fold2[byte] ?? -1;
      if (folded >= 0 && automaton.step(0, folded) !== 0) begins[byte] = 1;
    }
  }
  return begins;
}
function isQuiet(tracks) {
  for (const track of tracks) if (track.position.state !== 0) return false;
  return true;
}
function createEscapeReader({ trigger, read: read2 }, createAbove) {
  let above;
  let isActive = false;
  const bytes = [];
  const starts = [];
  const ends2 = [];
  const handOn = (layer) => layer.take(bytes.shift() ?? 0, starts.shift() ?? 0, ends2.shift() ?? 0);
  const settle2 = (layer) => {
    while (bytes.length > 0) {
      const reading = bytes[0] === trigger ? read2(bytes) : "none";
      if (reading === "open") return;
      if (reading === "none") handOn(layer);
      else {
        const start = starts[0] ?? 0;
        const end = ends2[ends2.length - 1] ?? 0;
        bytes.length = starts.length = ends2.length = 0;
        for (const byte of reading) layer.take(byte, start, end);
      }
    }
  };
  const activate = (below) => {
    above ??= createAbove();
    above.goOnFrom(below);
    isActive = true;
    return above;
  };
  return {
    take(byte, start, end, below) {
      if (!isActive && byte !== trigger) return;
      const layer = isActive && above !== void 0 ? above : activate(below);
      if (bytes.length === 0 && byte !== trigger) return layer.take(byte, start, end);
      bytes.push(byte);
      starts.push(start);
      ends2.push(end);
      settle2(layer);
    },
    end() {
      if (!isActive || above === void 0) return;
      while (bytes.length > 0) handOn(above);
      above.end();
    },
    openFrom: () => isActive ? Math.min(starts[0] ?? Infinity, above?.openFrom() ?? Infinity) : Infinity,
    forget() {
      if (!isActive) return;
      isActive = false;
      bytes.length = starts.length = ends2.length = 0;
      above?.forget();
    },
    isIdle(isQuietBelow) {
      if (!isActive) return true;
      if (bytes.length > 0 || above?.isIdle() !== true) return false;
      if (isQuietBelow) isActive = false;
      return !isActive;
    }
  };
}

// src/security/joined-bytes.ts
function joinedBytes(parts2) {
  const whole = new Uint8Array(parts2.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts2) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

// src/security/redactor.ts
function createRedactor(secrets) {
  const texts = secrets.flatMap(({ key, value }, secret) => textsOf(value).map((text4) => ({ key, secret, bytes: encode(text4) })));
  const known3 = writings.map(({ fold: fold2, patternsOf }) => {
    const patterns = texts.flatMap(({ secret, bytes }) => patternsOf(bytes).map((pattern2) => ({ secret, pattern: pattern2 })));
    return { fold: fold2, patterns, automaton: createByteAutomaton(patterns.map(({ pattern: pattern2 }) => pattern2)) };
  });
  const scan = (found) => createSecretScanner(
    known3.map(({ fold: fold2, patterns, automaton }) => ({
      fold: fold2,
      automaton,
      found: (start, end, pattern2) => found({ start, end, secret: patterns[pattern2]?.secret ?? 0 })
    }))
  );
  let spans = [];
  const scanner = scan((span) => spans.push(span));
  const holdsSecret = (bytes) => {
    spans = [];
    scanner.forget();
    for (let at = 0; at < bytes.length; at++) scanner.take(bytes[at] ?? 0, at);
    scanner.end();
    return spans.length > 0;
  };
  const covers2 = secrets.map(
    ({ key }) => encode(safeCover(formatSecretRef({ key }), { holdsSecret: (cover2) => holdsSecret(encode(cover2)), values: texts }))
  );
  const text3 = (given) => {
    const bytes = encode(given);
    if (!holdsSecret(bytes)) return given;
    const piece = createCovering(covers2);
    return decode(piece.cover(bytes, spans, bytes.length));
  };
  return {
    text: text3,
    json: (value) => redactJson(value, text3),
    stream: () => createStream(scan, covers2)
  };
}
function createStream(scan, covers2) {
  let spans = [];
  const scanner = scan((span) => spans.push(span));
  const covering = createCovering(covers2);
  let held2 = new Uint8Array();
  let length = 0;
  const release2 = (upTo) => {
    const base = length - held2.length;
    const released = covering.cover(held2, spans, upTo - base, base);
    spans = spans.filter(({ start }) => start >= upTo);
    held2 = held2.slice(upTo - base);
    return released;
  };
  return {
    write(bytes) {
      for (let at = 0; at < bytes.length; at++) scanner.take(bytes[at] ?? 0, length + at);
      length += bytes.length;
      held2 = joinedBytes([held2, bytes]);
      return release2(Math.min(length, scanner.openFrom()));
    },
    end() {
      scanner.end();
      return release2(length);
    },
    giveBack: () => held2.subarray(covering.coveredTo(length - held2.length))
  };
}
function createCovering(covers2) {
  let covered = 0;
  return {
    cover(piece, spans, upTo, base = 0) {
      const parts2 = [];
      let at = base;
      const keepTo = (to) => {
        const from = Math.max(at, covered);
        if (to > from) parts2.push(piece.subarray(from - base, to - base));
        at = Math.max(at, to);
      };
      const inOrder = spans.filter(({ start }) => start < base + upTo).toSorted((one, other) => one.start - other.start || other.end - one.end);
      for (const { start, end, secret } of inOrder) {
        if (start >= covered) {
          keepTo(start);
          parts2.push(covers2[secret] ?? new Uint8Array());
        }
        covered = Math.max(covered, end);
      }
      keepTo(base + upTo);
      return joinedBytes(parts2);
    },
    coveredTo: (base) => Math.max(0, covered - base)
  };
}
function encode(text3) {
  return new TextEncoder().encode(text3);
}
function decode(bytes) {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

// src/security/secrets-in-use.ts
var keptValues = 64;
function createSecretsInUse(make = createRedactor) {
  const known3 = /* @__PURE__ */ new Map();
  let redactor;
  const enter = (secret) => {
    const entry = known3.get(secret.value);
    if (entry === void 0) {
      known3.set(secret.value, { secret, users: 1 });
      redactor = void 0;
    } else entry.users += 1;
  };
  const leave = ({ value }) => {
    const entry = known3.get(value);
    if (entry === void 0) return;
    entry.users -= 1;
    if (entry.users > 0) return;
    known3.delete(value);
    known3.set(value, entry);
    const idle2 = [...known3].filter(([, { users }]) => users === 0);
    for (const [forgotten] of idle2.slice(0, Math.max(0, idle2.length - keptValues))) {
      known3.delete(forgotten);
      redactor = void 0;
    }
  };
  return {
    use(secrets) {
      secrets.forEach(enter);
      let hasEnded2 = false;
      return () => {
        if (!hasEnded2) secrets.forEach(leave);
        hasEnded2 = true;
      };
    },
    get redactor() {
      if (known3.size > 0) redactor ??= make([...known3.values()].map(({ secret }) => secret));
      return redactor;
    }
  };
}

// src/host/clock.ts
var longestTimerMs = 2 ** 31 - 1;
function systemClock() {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    sleep: (ms, { signal, keepAlive = true } = {}) => new Promise((resolve4) => {
      if (signal?.aborted) return resolve4();
      const cancel = alarm(ms, wake, keepAlive);
      signal?.addEventListener("abort", wake, { once: true });
      function wake() {
        cancel();
        signal?.removeEventListener("abort", wake);
        resolve4();
      }
    }),
    alarm: (ms, act, { keepAlive }) => alarm(ms, act, keepAlive),
    turn: () => new Promise((resolve4) => setImmediate(resolve4))
  };
}
function alarm(ms, act, keepAlive) {
  const deadline = performance.now() + Math.max(0, ms);
  let timer;
  arm(ms);
  return () => clearTimeout(timer);
  function arm(leftMs) {
    timer = setTimeout(fire, Math.min(Math.ceil(leftMs), longestTimerMs));
    if (!keepAlive) timer.unref();
  }
  function fire() {
    const leftMs = deadline - performance.now();
    if (leftMs > 0) arm(leftMs);
    else act();
  }
}

// src/host/environment.ts
function systemEnvironment() {
  return { get: (name) => process.env[name] };
}

// src/host/make-folder.ts
import { mkdirSync } from "node:fs";
function makeFolder(path) {
  mkdirSync(path, { recursive: true });
}

// src/workspace/paths.ts
function joinPath(base, relative) {
  const parts2 = relative.split("/").filter((part) => part !== "" && part !== ".");
  return parts2.length === 0 ? base : `${base === "/" ? "" : base}/${parts2.join("/")}`;
}
function isInside(path, folder) {
  return path === folder || path.startsWith(folder === "/" ? folder : `${folder}/`);
}
function relativePath(path, folder) {
  return path.slice(folder === "/" ? 1 : folder.length + 1);
}

// src/workspace/artifact-place.ts
async function findArtifact(files, place, path) {
  for (const base of [place.folder, place.root]) {
    const direct = joinPath(base, path);
    const facts = await files.facts(direct);
    if (facts === void 0) continue;
    if (facts.kind === "link") return { refused: "it is a symbolic link" };
    const [real, realBase] = [await files.real(direct), await files.real(base)];
    if (real === void 0 || realBase === void 0) continue;
    if (!isInside(real, realBase)) return { refused: `it leads out of ${base} by a link` };
    if (facts.kind === "folder") return { refused: "it is a folder" };
    if (facts.kind === "other") return { refused: "it is a fifo, a socket or a device" };
    if (facts.links > 1) return { refused: "it is a hard link: the same file has another name elsewhere" };
    const found = {
      path: real,
      base: realBase,
      name: relativePath(real, realBase),
      size: facts.size,
      isInWorkspace: base === place.root
    };
    return { found };
  }
  return { refused: `nothing is there, neither in ${place.folder} nor in ${place.root}` };
}

// src/workspace/artifacts.ts
function createArtifactCollector(place, parts2) {
  const { files, blobs, sha256: sha2562, limits: limits4 } = parts2;
  const tally = createTally(limits4);
  const contentOf2 = async (report) => {
    const syntax = relativeProblem(report.path);
    if (syntax !== void 0) return refuse(report, `its path ${syntax}`);
    const { bytes } = report;
    if (bytes !== void 0) return { name: report.path, size: bytes.length, isInWorkspace: false, read: async () => bytes };
    const located = await findArtifact(files, place, report.path);
    if ("refused" in located) return refuse(report, located.refused);
    const { found } = located;
    return { ...found, read: () => files.read(found.path, { limit: found.size, within: found.base, maxLinks: 1 }) };
  };
  const keep2 = async (report) => {
    const content = await contentOf2(report);
    const over = tally.add(content.size);
    if (over !== void 0) return refuse(report, over);
    try {
      const bytes = await content.read();
      const checksum = sha2562(bytes);
      const mismatch = claimProblem(report, { checksum, size: bytes.length });
      if (mismatch !== void 0) return refuse(report, mismatch);
      if (!content.isInWorkspace) await blobs.put(place.run_id, bytes);
      return {
        kind: report.kind,
        path: content.name,
        checksum: `sha256:${checksum}`,
        ...report.mime_type === void 0 ? {} : { mime_type: report.mime_type },
        size_bytes: bytes.length
      };
    } catch (error) {
      tally.remove(content.size);
      throw error;
    }
  };
  return (report) => keep2(report).catch((error) => {
    if (FleetError.is(error, "artifact_refused")) throw error;
    return refuse(report, error instanceof Error ? error.message : String(error), error);
  });
}
function createTally(limits4) {
  let artifacts = 0;
  let bytes = 0;
  return {
    /** Gives the limit that would be passed; then nothing was counted. */
    add(size) {
      if (size > limits4.artifactBytes) return `it has ${size} bytes, and one artifact may have ${limits4.artifactBytes}`;
      if (artifacts + 1 > limits4.attemptArtifacts) return `an attempt may leave ${limits4.attemptArtifacts} artifacts`;
      if (bytes + size > limits4.attemptBytes) return `all artifacts of an attempt may have ${limits4.attemptBytes} bytes together`;
      artifacts += 1;
      bytes += size;
      return void 0;
    },
    remove(size) {
      artifacts -= 1;
      bytes -= size;
    }
  };
}
function claimProblem(report, real) {
  const claimed = report.checksum?.toLowerCase();
  if (claimed !== void 0 && claimed !== `sha256:${real.checksum}`)
    return `its checksum is sha256:${real.checksum}, not ${claimed}`;
  if (report.size_bytes !== void 0 && report.size_bytes !== real.size)
    return `it has ${real.size} bytes, not ${report.size_bytes}`;
  return void 0;
}
function refuse(report, why, cause) {
  const name = JSON.stringify(report.path.slice(0, 200));
  throw new FleetError("artifact_refused", `Artifact ${name} is refused: ${why}.`, {
    details: { path: report.path, kind: report.kind },
    cause
  });
}

// src/workspace/bounded-text.ts
function createBoundedText(limit2) {
  const half = Math.floor(limit2 / 2);
  const beginning = [];
  let beginningLength = 0;
  let isBeginningFull = false;
  let ring;
  let restLength = 0;
  const addToRing = (bytes) => {
    ring ??= new Uint8Array(half);
    const kept = bytes.subarray(Math.max(0, bytes.length - half));
    const at = (restLength + bytes.length - kept.length) % half;
    const first = kept.subarray(0, half - at);
    ring.set(first, at);
    ring.set(kept.subarray(first.length), 0);
    restLength += bytes.length;
  };
  return {
    beginning,
    add(bytes) {
      const room = isBeginningFull ? 0 : half - beginningLength;
      const length = bytes.length <= room ? bytes.length : characterStartBefore(bytes, room);
      const head = bytes.slice(0, length);
      if (length > 0) beginning.push(head);
      beginningLength += length;
      if (length < bytes.length) {
        isBeginningFull = true;
        addToRing(bytes.subarray(length));
      }
      return head;
    },
    rest() {
      if (ring === void 0) return { cut: "", end: new Uint8Array() };
      if (restLength <= half) return { cut: "", end: ring.slice(0, restLength) };
      const at = restLength % half;
      const ordered = new Uint8Array(half);
      ordered.set(ring.subarray(at), 0);
      ordered.set(ring.subarray(0, at), half - at);
      const end = ordered.subarray(characterStartAfter(ordered));
      return { cut: `
[${restLength - end.length} bytes left out]
`, end };
    }
  };
}
function characterStartBefore(bytes, at) {
  let start = at;
  while (start > 0 && isContinuation(bytes[start])) start -= 1;
  return start;
}
function characterStartAfter(bytes) {
  let start = 0;
  while (start < 3 && isContinuation(bytes[start])) start += 1;
  return start;
}
function isContinuation(byte) {
  return byte !== void 0 && (byte & 192) === 128;
}

// src/workspace/log.ts
var logName = "output.log";
function createAttemptLog(place, { files, blobs, limit: limit2 }) {
  const text3 = createBoundedText(limit2);
  const path = joinPath(place.folder, logName);
  let writing = Promise.resolve();
  const append2 = (piece) => {
    if (piece !== "") writing = writing.then(() => files.append(path, piece)).catch(() => {
    });
    return writing;
  };
  return {
    write: (added) => append2(decoded(text3.add(new TextEncoder().encode(added)))),
    async finish() {
      if (text3.beginning.length === 0) return void 0;
      const { cut, end } = text3.rest();
      await append2(cut + decoded(end));
      const { sha256: sha2562, size } = await blobs.put(place.run_id, joinedBytes([...text3.beginning, new TextEncoder().encode(cut), end]));
      return { kind: "log", path: logName, checksum: `sha256:${sha2562}`, mime_type: "text/plain", size_bytes: size };
    }
  };
}
function decoded(bytes) {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

// src/workspace/collector.ts
var collectorLimits = {
  logBytes: 1024 * 1024,
  artifactBytes: 64 * 1024 * 1024,
  attemptBytes: 256 * 1024 * 1024,
  attemptArtifacts: 1e3
};
function createCollector(options) {
  const { files, blobs, sha256: sha2562 } = options;
  const limits4 = { ...collectorLimits, ...options.limits };
  const attempts = /* @__PURE__ */ new Map();
  const of = (place) => {
    const name = attemptId(place);
    const known3 = attempts.get(name);
    if (known3 !== void 0) return known3;
    const attempt = {
      log: createAttemptLog(place, { files, blobs, limit: limits4.logBytes }),
      collect: createArtifactCollector(place, { files, blobs, sha256: sha2562, limits: limits4 })
    };
    attempts.set(name, attempt);
    return attempt;
  };
  return {
    log: (place, text3) => text3 === "" ? Promise.resolve() : of(place).log.write(text3),
    collect: (place, report) => of(place).collect(report),
    async finish(place) {
      const attempt = attempts.get(attemptId(place));
      attempts.delete(attemptId(place));
      return attempt?.log.finish();
    }
  };
}

// src/fleet/container.ts
import { isAbsolute as isAbsolute3 } from "node:path";

// src/host/files.ts
import { constants } from "node:fs";
import { lstat as lstat2, mkdir, open, realpath as realpath2, rm } from "node:fs/promises";
import { dirname } from "node:path";

// src/host/confined-file.ts
import { lstat, readlink, realpath } from "node:fs/promises";
import { sep } from "node:path";
async function isConfined(handle, path, confinement) {
  const nameOf = process.platform === "linux" ? () => readlink(`/proc/self/fd/${handle.fd}`) : () => realpath(path);
  try {
    const name = await nameOf();
    if (!name.startsWith(confinement.within === sep ? sep : confinement.within + sep)) return false;
    const [named2, opened] = await Promise.all([lstat(name), handle.stat()]);
    return isSame(named2, opened) && named2.nlink <= (confinement.maxLinks ?? Infinity) && await nameOf() === name;
  } catch {
    return false;
  }
}
function isSame(one, other) {
  return one.ino === other.ino && one.dev === other.dev;
}

// src/host/files.ts
function diskFiles() {
  return {
    async facts(path) {
      const stats = await lstat2(path).catch(absent);
      return stats && { kind: kindOf(stats), size: stats.size, links: stats.nlink };
    },
    real: (path) => realpath2(path).catch(absent),
    read: readRegular,
    async makeFolder(path) {
      await mkdir(path, { recursive: true });
    },
    append,
    // Its library is loaded by whoever looks for files: a worker does not.
    find: async (folder, patterns) => (await import("./chunks/find-files-X7OW3Y2V.js")).findFiles(folder, patterns),
    removeFolder: (path) => rm(path, { recursive: true, force: true })
  };
}
function kindOf(stats) {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "folder";
  return stats.isSymbolicLink() ? "link" : "other";
}
function absent(error) {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return void 0;
  throw unreadable(error);
}
async function readRegular(path, options) {
  var _stack = [];
  try {
    const { limit: limit2, within, maxLinks = Infinity } = options;
    const file = __using(_stack, await openRegular(path, constants.O_RDONLY), true);
    if (within !== void 0 && !await isConfined(file.handle, path, { within, maxLinks })) throw swapped(path);
    if (file.size > limit2) throw tooLarge(path, limit2);
    const chunks = [];
    let length = 0;
    for await (const chunk of file.handle.createReadStream({ autoClose: false })) {
      length += chunk.length;
      if (length > limit2) throw tooLarge(path, limit2);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (_) {
    var _error = _, _hasError = true;
  } finally {
    var _promise = __callDispose(_stack, _error, _hasError);
    _promise && await _promise;
  }
}
async function append(path, text3) {
  var _stack = [];
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = __using(_stack, await openRegular(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT), true);
    await file.handle.appendFile(text3);
  } catch (_) {
    var _error = _, _hasError = true;
  } finally {
    var _promise = __callDispose(_stack, _error, _hasError);
    _promise && await _promise;
  }
}
async function openRegular(path, flags) {
  const before = await lstat2(path).catch(absent);
  if (before !== void 0 && !before.isFile()) throw notRegular(path);
  const handle = await open(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error) => {
    throw unreadable(error);
  });
  const stats = await handle.stat();
  if (stats.isFile()) return { handle, size: stats.size, [Symbol.asyncDispose]: () => handle.close() };
  await handle.close();
  throw notRegular(path);
}
function notRegular(path) {
  return new FleetError("unreadable_file", `${path} is no regular file. Links, folders, fifos and devices are not read.`, {
    details: { path }
  });
}
function swapped(path) {
  return new FleetError(
    "unreadable_file",
    `${path} was moved, linked or swapped while it was opened. Leave it alone until it was read.`,
    {
      details: { path }
    }
  );
}
function tooLarge(path, limit2) {
  return new FleetError("too_large", `${path} is larger than ${limit2} bytes. Make it smaller.`, { details: { path, limit: limit2 } });
}
function unreadable(error) {
  const message = error instanceof Error ? error.message : String(error);
  return new FleetError("unreadable_file", `${message}. Check the path and its permissions.`, { cause: error });
}

// src/transports/containers/container-commands.ts
function containerCommands(options) {
  const load = async () => (await import("./chunks/launched-RU4XXFJ7.js")).commandsInContainers(options);
  return commandsOver("docker", {
    enforces: () => enforcementOf(options.probe()),
    load,
    reap: async ({ storeId }) => (await load()).reap(storeId)
  });
}

// src/transports/containers/container-probe.ts
import { spawnSync } from "node:child_process";
import { isAbsolute, join } from "node:path";
var patienceMs = 1e4;
var programFolders = ["/usr/local/bin", "/usr/bin", "/bin", "/opt/homebrew/bin", "/opt/podman/bin", "/snap/bin"];
var clientVariables = [
  "HOME",
  "PATH",
  "USER",
  "LANG",
  "TMPDIR",
  "XDG_RUNTIME_DIR",
  "XDG_CONFIG_HOME",
  "XDG_DATA_HOME",
  "DBUS_SESSION_BUS_ADDRESS",
  "DOCKER_HOST",
  "DOCKER_CONTEXT",
  "DOCKER_CONFIG",
  "DOCKER_CERT_PATH",
  "DOCKER_TLS_VERIFY",
  "DOCKER_API_VERSION",
  "CONTAINER_HOST",
  "CONTAINERS_CONF",
  "CONTAINERS_CONF_OVERRIDE",
  "CONTAINERS_STORAGE_CONF",
  "CONTAINERS_REGISTRIES_CONF",
  "REGISTRY_AUTH_FILE",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy"
];
var runtimes = {
  docker: {
    variable: "DOCKER_HOST",
    address: ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"],
    read: dockerFacts
  },
  podman: { variable: "CONTAINER_HOST", read: podmanFacts }
};
var whose = "which does not have the files of this one";
function probeContainers(environment, { runtime, program } = {}) {
  if (runtime !== void 0) return probe(environment, runtime, program);
  const found = Object.keys(runtimes).map((one) => probe(environment, one, void 0));
  return found.find((one) => "host" in one) ?? { missing: found.flatMap((one) => "missing" in one ? one.missing : []).join("; ") };
}
function probe(environment, runtime, named2) {
  const program = named2 ?? programFolders.map((folder) => join(folder, runtime)).find(isExecutable);
  if (program === void 0) return { missing: `${runtime} is not installed` };
  if (!isAbsolute(program) || !isExecutable(program)) return { missing: `${program} is no program` };
  const { variable, address: address2, read: read2 } = runtimes[runtime];
  if (isElsewhere(environment.get(variable) ?? "")) return { missing: `${variable} names another machine, ${whose}` };
  const own = clientEnvironment(environment);
  const place = address2 === void 0 ? "" : ask(program, address2, own).stdout.trim();
  if (isElsewhere(place)) return { missing: `${runtime} is set to ${place}, another machine, ${whose}` };
  const { status, stdout, stderr, error, signal } = ask(program, ["info", "--format", "{{json .}}"], own);
  if (signal !== null) return { missing: `${runtime} did not answer within ${patienceMs / 1e3} s` };
  if (status !== 0) return { missing: `${runtime} does not answer: ${error?.message ?? lastLine(stderr)}` };
  const facts = readFacts(stdout, read2);
  return facts.lacking === void 0 ? { host: { runtime, program, isRootless: facts.isRootless, environment: own } } : { missing: `${runtime} ${facts.lacking}` };
}
function ask(program, args, environment) {
  return spawnSync(program, args, {
    env: environment,
    encoding: "utf8",
    timeout: patienceMs,
    killSignal: "SIGKILL",
    maxBuffer: 16 * 1024 ** 2
  });
}
function isElsewhere(address2) {
  return /^[a-z]+:/.test(address2) && !/^(unix|npipe):/.test(address2);
}
function readFacts(said, read2) {
  try {
    return read2(JSON.parse(said));
  } catch (error) {
    return { isRootless: false, lacking: `says of itself what is not understood: ${String(error)}` };
  }
}
function dockerFacts(info) {
  const facts = info;
  if ((facts.ServerErrors ?? []).length > 0) return { isRootless: false, lacking: `does not answer: ${facts.ServerErrors?.[0]}` };
  const bounds = { memory: facts.MemoryLimit === true, processes: facts.PidsLimit === true };
  return {
    isRootless: (facts.SecurityOptions ?? []).some((option) => option.includes("name=rootless")),
    lacking: facts.OSType === "linux" ? unbounded(bounds) : "runs no Linux containers"
  };
}
function podmanFacts(info) {
  const { host: host2 } = info;
  const has = (controller) => host2.cgroupControllers?.includes(controller) === true;
  return {
    isRootless: host2.security?.rootless === true,
    lacking: host2.os === "linux" ? unbounded({ memory: has("memory"), processes: has("pids") }) : "runs no Linux containers"
  };
}
function unbounded(bounds) {
  const without = Object.keys(bounds).filter((name) => bounds[name] === false);
  return without.length === 0 ? void 0 : `cannot bound ${without.join(" and ")} here`;
}
function clientEnvironment(environment) {
  const set = clientVariables.flatMap((name) => {
    const value = environment.get(name);
    return value === void 0 ? [] : [[name, value]];
  });
  return Object.fromEntries(set);
}
function lastLine(text3) {
  return text3.trim().split("\n").at(-1) || "it gave no reason";
}

// src/transports/containers/container-worker.ts
function containerLauncher(options) {
  const { clock, image, args, pull = "missing" } = options;
  const terms = termsOf(options);
  let client;
  let fetch;
  let number = 0;
  let served;
  let reaped;
  const required = async () => {
    const { createContainerClient } = await import("./chunks/launched-RU4XXFJ7.js");
    const probed = options.probe();
    if ("missing" in probed) throw new Error(`No containers can be run here: ${probed.missing}.`);
    return client ??= createContainerClient(probed.host, clock);
  };
  return {
    kind: "docker",
    get enforces() {
      return enforcementOf(options.probe());
    },
    sharesFiles: false,
    async start({ launch, confined, log, signal }) {
      const { containerName, createImageKeeper, fleetUser, labelsOf, nobody, reapContainers, startWorkerProgram } = await import("./chunks/launched-RU4XXFJ7.js");
      const there = await required();
      const problem = wordsProblem(args);
      if (problem !== void 0) throw new Error(`The worker program of ${image} cannot be started: ${problem}.`);
      fetch ??= createImageKeeper(there, image, pull);
      const unfetched = await fetch(signal);
      if (unfetched !== void 0) throw new Error(`The worker program cannot be started: ${unfetched}.`);
      const { storeId, workerId: worker, incarnation } = launch;
      if (served !== incarnation) reaped = reapContainers(there, { storeId, worker });
      served = incarnation;
      await reaped;
      signal.throwIfAborted();
      const owner = { storeId, worker, incarnation, kind: "worker", number: number += 1 };
      const name = containerName(owner);
      const { uid, gid } = terms.user ?? fleetUser() ?? nobody;
      const planned = {
        ...{ name, labels: labelsOf(owner), image, command: args, replacesProgram: false },
        network: confined?.network === false ? "none" : terms.network,
        user: `${uid}:${gid}`,
        folder: void 0,
        mounts: terms.readable.map((path) => ({ source: path, target: path, writable: false })),
        filter: void 0,
        variables: {
          ...{ FLOTILLA_STORE: storeId, FLOTILLA_WORKER: worker, FLOTILLA_INCARNATION: incarnation },
          ...{ HOME: "/tmp", TMPDIR: "/tmp" }
        },
        named: [],
        hasInput: true,
        limits: terms.limits
      };
      const { program, environment } = there.host;
      return startWorkerProgram({
        launch: { program, args: containerArguments(planned, there.host), cwd: "/", environment },
        clock,
        log,
        // The end of the client leaves the container running.
        sweep: async () => void await there.remove(name)
      });
    },
    async reap({ storeId }) {
      const { reapContainers } = await import("./chunks/launched-RU4XXFJ7.js");
      await reapContainers(await required(), { storeId });
    }
  };
}

// src/transports/programs/worker-pool.ts
function poolTransport(parts2) {
  const { launcher, handlers = [], plain = false } = parts2;
  return {
    kind: launcher.kind,
    get enforces() {
      return launcher.enforces;
    },
    heartbeats: "worker",
    startsAtOnce: false,
    survives: false,
    serves: { handlers, plain, commands: false },
    async open(launch, { signal }) {
      const { createPool } = await import("./chunks/launched-RU4XXFJ7.js");
      signal.throwIfAborted();
      const pool = createPool(launch, parts2);
      await pool.warm(signal);
      return pool.channel;
    },
    ...launcher.reap !== void 0 && { reap: (options) => launcher.reap(options) }
  };
}

// src/transports/session/dial-in.ts
function isDialIn(transport) {
  return transport.dialsIn === true && "gate" in transport;
}
function dialInTransport(options) {
  const { clock, files } = options;
  const places = /* @__PURE__ */ new Map();
  function placeOf4(id) {
    let place = places.get(id);
    if (place === void 0) {
      place = { next: void 0, current: void 0, incarnation: void 0, lines: new AttemptLines(), wake: void 0 };
      places.set(id, place);
    }
    return place;
  }
  return {
    kind: "dial-in",
    enforces: {
      ...{ network: false, fileWrites: false, environment: false, processes: false },
      because: "it dials in, and what it is kept to on its machine is not known here"
    },
    heartbeats: "worker",
    startsAtOnce: false,
    survives: true,
    dialsIn: true,
    verifiesIdentity: options.verifiesIdentity,
    serves: options.serves,
    gate: {
      admit(workerId2, greeting) {
        const place = placeOf4(workerId2);
        for (const before of [place.current, place.next]) if (before !== void 0) giveWay(before, greeting);
        place.next = greeting;
        place.wake?.();
      },
      close(reason) {
        for (const { next } of places.values()) next?.line.close(reason);
      }
    },
    async open({ workerId: workerId2, ...launch }, { signal }) {
      const place = placeOf4(workerId2);
      const greeting = await nextOf(place, signal);
      const { incarnation } = greeting.hello;
      if (incarnation !== place.incarnation) {
        place.incarnation = incarnation;
        place.lines = new AttemptLines();
      }
      return openSession(greeting, {
        launch: { workerId: workerId2, ...launch, incarnation: incarnation ?? launch.incarnation },
        sharesFiles: false,
        lines: place.lines,
        clock,
        files
      });
    }
  };
}
async function nextOf(place, signal) {
  while (place.next === void 0) {
    signal.throwIfAborted();
    await new Promise((resolve4) => {
      const wake = () => {
        place.wake = void 0;
        signal.removeEventListener("abort", wake);
        resolve4();
      };
      place.wake = wake;
      signal.addEventListener("abort", wake, { once: true });
    });
  }
  const greeting = place.next;
  place.current = greeting;
  place.next = void 0;
  return greeting;
}
function giveWay(before, after) {
  const reason = "another connection of the worker took its place";
  if (isSame2(before.hello, after.hello)) before.line.close(reason);
  else
    before.line.refuse(
      "superseded",
      "Another process dialled in as this worker later, so this one is no longer it. Give each its own id."
    );
}
function isSame2(a, b) {
  return a.incarnation === b.incarnation;
}

// src/fleet/worker-proof.ts
import { createHash, timingSafeEqual } from "node:crypto";

// src/security/secret-value.ts
var leastBytes = 4;
var mostBytes = 16 * 1024;
function secretValueProblem(value) {
  const bytes = new TextEncoder().encode(value).length;
  if (value.trim() === "") return "is empty";
  if (new TextEncoder().encode(value.trim()).length < leastBytes)
    return `has ${bytes} bytes; what is shorter than ${leastBytes} cannot be redacted safely`;
  return bytes > mostBytes ? `has ${bytes} bytes; a secret may have ${mostBytes}` : void 0;
}

// src/fleet/worker-proof.ts
function proofProblems({ token: token2, verify, unverified }) {
  const problems = [];
  if (typeof token2 === "string") {
    const problem = secretValueProblem(token2);
    if (problem !== void 0) problems.push(`token: it ${problem}`);
  } else if (token2 !== void 0 && (typeof token2.key !== "string" || token2.key.trim() === "")) {
    problems.push("token: expected a text, or { key } of a secret");
  }
  if (verify !== void 0 && typeof verify !== "function") problems.push("verify: expected a function");
  const hasProof = token2 !== void 0 || verify !== void 0;
  if (!hasProof && unverified !== true) {
    problems.push(
      "a worker that dials in proves who it is: pass token or verify, or say unverified: true to take whoever names its id"
    );
  }
  if (hasProof && unverified === true)
    problems.push("unverified: there is a proof, so it is not unverified; leave one of them out");
  return problems;
}
async function isProved(proof, hello, facts, { secrets, clock, timeoutMs }) {
  const limit2 = new AbortController();
  const late = new Promise((resolve4) => limit2.signal.addEventListener("abort", () => resolve4(false), { once: true }));
  const disarm = clock.alarm(timeoutMs, () => limit2.abort(), { keepAlive: false });
  const prove = async () => {
    if (proof.token !== void 0 && !await isToken2(proof.token, hello.token, secrets, limit2.signal)) return false;
    return proof.verify === void 0 ? proof.token !== void 0 || proof.unverified === true : await proof.verify(hello, facts) === true;
  };
  const proved = await Promise.race([prove().catch(() => false), late]);
  disarm();
  return proved;
}
async function isToken2(expected2, given, secrets, signal) {
  const value = typeof expected2 === "string" ? expected2 : await valueOf(expected2, secrets, signal);
  return value !== void 0 && isSameSecret(value, given ?? "");
}
async function valueOf(ref, secrets, signal) {
  const outcome = await secrets.resolve([ref], { signal });
  return "values" in outcome ? outcome.values[ref.key] : void 0;
}
function isSameSecret(one, other) {
  return timingSafeEqual(createHash("sha256").update(one).digest(), createHash("sha256").update(other).digest());
}

// src/fleet/dial-in.ts
function dialIn(options) {
  return provenTransport(options);
}
function provenTransport(options) {
  const { handlers = [], plain = false, ...proof } = options;
  const problems = proofProblems(proof);
  if (!Array.isArray(handlers) || handlers.some((name) => typeof name !== "string" || name === "")) {
    problems.push("handlers: expected a list of names");
  }
  if (handlers.length === 0 && !plain) problems.push("it serves nothing: name its handlers, or say plain: true");
  if (problems.length > 0) {
    throw new FleetError("invalid_option", `A worker cannot dial in like this:
${problems.join("\n")}`, {
      details: { problems }
    });
  }
  return {
    ...dialInTransport({
      ...{ clock: systemClock(), files: diskFiles() },
      serves: { handlers: [...handlers], plain, commands: false },
      verifiesIdentity: proof.unverified !== true
    }),
    proof
  };
}

// src/fleet/dial-in-spec.ts
function dialInOfSpec({ auth, host: host2, labels }) {
  if (auth?.method !== "token" || host2.kind !== "local") return void 0;
  const { key, source } = auth.token_ref;
  const handlers = namesIn(labels["handlers"]);
  return dialIn({ handlers, plain: handlers.length === 0, token: { key, ...source !== void 0 && { source } } });
}
function namesIn(label = "") {
  return label.split(",").map((name) => name.trim()).filter((name) => name !== "");
}

// src/fleet/launched-workers.ts
import { isAbsolute as isAbsolute2 } from "node:path";

// src/transports/programs/child-process.ts
function childProcessLauncher(options) {
  const { command, cwd = process.cwd(), env = {}, clock, environment } = options;
  const [program, ...args] = command;
  let started = 0;
  return {
    kind: "child-process",
    enforces: unconfined("nothing confines a worker process"),
    sharesFiles: true,
    startsAhead: true,
    async start({ launch, log, signal }) {
      const { inherited, startWorkerProgram } = await import("./chunks/launched-RU4XXFJ7.js");
      signal.throwIfAborted();
      started += 1;
      const mark2 = {
        FLOTILLA_STORE: launch.storeId,
        FLOTILLA_WORKER: launch.workerId,
        FLOTILLA_PROCESS: `${process.pid}-${started}`
      };
      return startWorkerProgram({
        launch: { program, args, cwd, environment: { ...inherited(environment), ...env, ...incarnationOf(launch), ...mark2 } },
        clock,
        log,
        // What left its process group still carries its mark (LE6).
        sweep: (since) => killCarriers({ entries: Object.entries(mark2).map(([name, value]) => `${name}=${value}`), clock, since }).catch(
          () => void 0
        )
      });
    },
    reap: ({ storeId, recorded: recorded2 }) => reapOrphans({ storeId, recorded: recorded2, clock })
  };
}
function incarnationOf({ incarnation }) {
  return { FLOTILLA_INCARNATION: incarnation };
}

// src/transports/programs/worker-thread.ts
function workerThreadLauncher(options) {
  return {
    kind: "worker-thread",
    enforces: unconfined("nothing confines a thread"),
    sharesFiles: true,
    startsAhead: true,
    async start(order2) {
      const { startThread } = await import("./chunks/launched-RU4XXFJ7.js");
      order2.signal.throwIfAborted();
      return startThread(options, order2);
    }
  };
}

// src/fleet/launched-workers.ts
function childProcesses(options) {
  const { command, cwd, env, ...pool } = options;
  if (!Array.isArray(command) || command.length === 0 || !command.every((word2) => typeof word2 === "string" && !word2.includes("\0")))
    throw new FleetError("invalid_option", "command: expected a program and its arguments, as a list of texts.");
  if (command[0] === "") throw new FleetError("invalid_option", "command: the program has no name.");
  const clock = systemClock();
  const launcher = childProcessLauncher({
    command,
    clock,
    environment: systemEnvironment(),
    ...cwd !== void 0 && { cwd },
    ...env !== void 0 && { env }
  });
  return poolTransport({ ...checked(pool), launcher, clock, files: diskFiles() });
}
function workerThreads(options) {
  const { file, resourceLimits, ...pool } = options;
  if (typeof file === "string" && !isAbsolute2(file))
    throw new FleetError("invalid_option", `file: expected an absolute path or a file URL, got ${JSON.stringify(file)}.`);
  const clock = systemClock();
  const launcher = workerThreadLauncher({ file, clock, ...resourceLimits !== void 0 && { resourceLimits } });
  return poolTransport({ ...checked(pool), launcher, clock, files: diskFiles() });
}
function checked(pool) {
  const { startTimeoutMs, handlers = [], plain = false } = pool;
  if (startTimeoutMs !== void 0 && !(startTimeoutMs > 0))
    throw new FleetError("invalid_option", `startTimeoutMs: expected more than 0 milliseconds, got ${startTimeoutMs}.`);
  if (handlers.length === 0 && !plain)
    throw new FleetError("invalid_option", "handlers: name what the workers serve, or say `plain: true`.");
  return pool;
}

// src/fleet/container.ts
function isHosted(transport) {
  return "within" in transport;
}
function container(options) {
  const { handlers, plain, reuse, startTimeoutMs, image, args, ...settings2 } = options;
  const pool = {
    ...handlers !== void 0 && { handlers },
    ...plain !== void 0 && { plain },
    ...reuse !== void 0 && { reuse },
    ...startTimeoutMs !== void 0 && { startTimeoutMs }
  };
  const problems = [
    ...hostProblems({ image, args: args ?? [] }).map(({ path, reason }) => `${path}: ${reason}`),
    ...containersProblems(settings2),
    ...args === void 0 ? Object.keys(pool).map((name) => `${name}: only for worker programs: give their args, \`[]\` for none`) : []
  ];
  if (problems.length > 0)
    throw new FleetError("invalid_option", `The containers cannot be run:
${problems.join("\n")}`, { details: { problems } });
  const environment = systemEnvironment();
  const probe2 = once(() => probeContainers(environment, settings2));
  const within = (host2) => transportTo(
    { image, args, pool: args === void 0 ? {} : checked(pool) },
    { ...host2, containers: { options: settings2, probe: probe2 } }
  );
  const hosted = Object.assign(within({ clock: systemClock(), environment }), { within });
  return hosted;
}
function containerWorker({ host: spec, labels }, host2) {
  if (spec.kind !== "docker") throw new TypeError(`A host of the kind ${spec.kind} is no container.`);
  const { image, args } = spec;
  const handlers = namesIn(labels["handlers"]);
  const pool = handlers.length > 0 ? { handlers } : { plain: true };
  return transportTo({ image, args: args.length > 0 ? args : void 0, pool }, host2);
}
function containerProblems({ host: host2 }) {
  return host2.kind === "docker" ? hostProblems(host2).map(({ path, reason }) => ({ path: `host.${path}`, reason })) : [];
}
function runtimeProblems(workers, host2) {
  const place = workers.findIndex((worker) => worker.host.kind === "docker");
  if (place < 0) return [];
  const probed = (host2.containers ?? containerPorts({}, host2.environment)).probe();
  return "host" in probed ? [] : [{ path: `worker_specs[${place}].host`, reason: `no containers can be run here: ${probed.missing}` }];
}
function containerWays(parts2, host2) {
  const named2 = parts2.specs.find((spec) => spec.host.kind === "docker");
  const own = parts2.plans.map((plan) => plan.transport).filter((transport) => transport.kind === "docker");
  return [...own, ...named2 === void 0 ? [] : [containerWorker(named2, host2)]];
}
function containersProblems(options) {
  const { runtime, program, network, pull, user, readable = [], bounds = {} } = options;
  const paths = readable.flatMap((path, index) => {
    const why = mountProblem(path);
    return why === void 0 ? [] : [`readable[${index}]: ${why}`];
  });
  const sizes = Object.entries(bounds).flatMap(([name, value]) => {
    if (!Object.hasOwn(containerLimits, name)) return [`bounds.${name}: there is no such bound`];
    const isSize = name === "cpus" ? value >= 0 && Number.isFinite(value) : Number.isSafeInteger(value) && value >= 1;
    return isSize ? [] : [`bounds.${name}: expected a number from ${name === "cpus" ? 0 : 1}, got ${String(value)}`];
  });
  const known3 = ["runtime", "program", "network", "pull", "user", "readable", "bounds"];
  return [
    ...Object.keys(options).filter((name) => !known3.includes(name)).map((name) => `${name}: there is no such option; there are ${known3.join(", ")}`),
    ...runtime === void 0 || ["docker", "podman"].includes(runtime) ? [] : [`runtime: expected docker or podman, got ${String(runtime)}`],
    ...program !== void 0 && runtime === void 0 ? ["program: say with `runtime` whose client it is"] : [],
    ...program === void 0 || isAbsolute3(program) ? [] : [`program: expected an absolute path, got ${JSON.stringify(program)}`],
    ...network === void 0 || isNetworkName(network) ? [] : [`network: expected the name of a network, got ${JSON.stringify(network)}`],
    ...pull === void 0 || ["missing", "never", "always"].includes(pull) ? [] : [`pull: expected missing, never or always, got ${String(pull)}`],
    ...user === void 0 || /^\d{1,9}:\d{1,9}$/.test(user) ? [] : [`user: expected uid:gid, got ${JSON.stringify(user)}`],
    ...paths,
    ...sizes
  ];
}
function hostProblems({ image, args }) {
  return [
    { path: "image", reason: imageProblem(image) },
    { path: "args", reason: wordsProblem(args) }
  ].flatMap(({ path, reason }) => reason === void 0 ? [] : [{ path, reason }]);
}
function transportTo(what, host2) {
  const { clock, environment, redactor, hidden = [] } = host2;
  const { options, probe: probe2 } = host2.containers ?? containerPorts({}, environment);
  const { runtime: _, program: __, ...settings2 } = options;
  const { image, args, pool } = what;
  const parts2 = { ...settings2, image, clock, probe: probe2, hidden, redactor };
  if (args === void 0) return containerCommands(parts2);
  return poolTransport({ ...pool, launcher: containerLauncher({ ...parts2, args }), clock, files: diskFiles() });
}
function containerPorts(options, environment) {
  return { options, probe: once(() => probeContainers(environment, options)) };
}
function once(ask2) {
  let answered;
  return () => (answered ??= { answer: ask2() }).answer;
}

// src/security/built-in-profiles.ts
var builtInRoles = {
  "smoke-runner": {
    description: "Runs quick checks and changes nothing.",
    tool_profile: "read-only",
    timeout_seconds: 300,
    trust_level: "local"
  },
  reviewer: {
    description: "Reads and judges, and changes nothing.",
    tool_profile: "read-only",
    timeout_seconds: 600
  },
  builder: {
    description: "Changes files.",
    tool_profile: "read-write",
    timeout_seconds: 1800,
    trust_level: "local"
  },
  "read-only": {
    description: "Looks without being able to do anything else: it runs in a sandbox, or not at all.",
    tool_profile: "read-only",
    timeout_seconds: 300,
    trust_level: "sandbox"
  }
};
var builtInProfiles = {
  "smoke-runner": { role: "smoke-runner" },
  reviewer: { role: "reviewer" },
  builder: { role: "builder" },
  "read-only": { role: "read-only" }
};

// src/security/profile-layers.ts
function layersOf(task, { worker_defaults: defaults }, { profiles, roles }) {
  const layers = [{ name: "task", says: { ...task.worker, timeout_seconds: task.timeout_seconds }, place: void 0 }];
  const id = task.worker?.agent_profile ?? defaults?.agent_profile;
  const profile = id === void 0 ? void 0 : profiles.get(id);
  if (id !== void 0) {
    const place = placeOf(task.worker?.agent_profile === void 0 ? "run" : "task", "agent_profile");
    if (profile === void 0) {
      const reason = `no agent profile ${JSON.stringify(id)} is registered; there are ${[...profiles.keys()].join(", ")}`;
      return { problems: [{ ...place, reason }] };
    }
    layers.push({ name: "agent_profile", says: profile.definition, place });
  }
  const named2 = layers.find(({ says }) => says.role !== void 0);
  const role = named2?.says.role ?? defaults?.role;
  const preset = role === void 0 ? void 0 : roles.get(role);
  if (preset !== void 0) {
    const place = named2 === void 0 ? placeOf("run", "role") : named2.place ?? placeOf("task", "role");
    layers.push({ name: "role_preset", says: preset.definition, place });
  }
  if (defaults !== void 0) layers.push({ name: "run", says: defaults, place: void 0 });
  return { layers, profile: profile === void 0 || id === void 0 ? void 0 : { id, origin: profile.origin } };
}
function placeOf(of, field) {
  return { of, field: `${of === "run" ? "worker_defaults" : "worker"}.${field}` };
}
function placeIn(layer, field) {
  return layer.place ?? placeOf(layer.name === "run" ? "run" : "task", field);
}

// src/security/profile-bounds.ts
var written = ["role", "loadout", "model_class", "model"];
function boundProblems(layers, run) {
  return [
    ...rolesRefused(layers, run),
    ...credentialsIn(layers),
    ...trustBeyond(lowestTrust(layers), run),
    ...toolsBeyond(layers)
  ];
}
function lowestTrust(layers) {
  let lowest;
  for (const layer of layers) {
    const level = layer.says.trust_level;
    if (level === void 0) continue;
    const before = lowest?.says.trust_level;
    if (before === void 0 || trustRank(level) < trustRank(before)) lowest = layer;
  }
  return lowest;
}
function trustBeyond(layer, run) {
  const level = layer?.says.trust_level;
  const most = run.security_policy?.max_trust_level ?? "operator";
  if (layer === void 0 || level === void 0 || trustRank(level) <= trustRank(most)) return [];
  return [
    {
      ...placeIn(layer, "trust_level"),
      reason: `the trust level ${level} of ${whose2(layer)} is above the max_trust_level ${most}`
    }
  ];
}
function toolsBeyond(layers) {
  const bounds = layers.filter(({ name, says }) => name !== "run" && (says.tools ?? []).length > 0);
  return bounds.flatMap(
    (layer, index) => bounds.slice(index + 1).flatMap((bound) => {
      const beyond = (layer.says.tools ?? []).filter((tool) => bound.says.tools?.includes(tool) !== true);
      if (beyond.length === 0) return [];
      const reason = `the tools of ${whose2(layer)} go beyond those of ${whose2(bound)}: ${beyond.join(", ")}`;
      return [{ ...placeIn(layer, "tools"), reason }];
    })
  );
}
function rolesRefused(layers, run) {
  const layer = layers.find(({ says }) => says.role !== void 0);
  const role = layer?.says.role;
  if (layer === void 0 || layer.name === "task" || role === void 0 || run.roles?.includes(role) !== false) return [];
  return [{ ...placeIn(layer, "role"), reason: `the role ${role} of ${whose2(layer)} is none of the roles of the run` }];
}
function credentialsIn(layers) {
  return layers.flatMap(
    (layer) => written.filter((field) => holdsCredential(layer.says[field] ?? "")).map((field) => ({ ...placeIn(layer, field), reason: `the ${field} of ${whose2(layer)} looks like a credential` }))
  );
}
var names = {
  task: "the task",
  agent_profile: "the profile",
  role_preset: "the preset of its role",
  run: "the run"
};
function whose2({ name }) {
  return names[name];
}

// src/security/merge-profile.ts
var scalars = ["role", "loadout", "model_class", "model", "tool_profile", "instructions"];
var lists = ["tools", "capabilities"];
function mergeProfile(task, run, tables) {
  const own = withoutResolution(task.worker);
  const found = layersOf({ worker: own, timeout_seconds: task.timeout_seconds }, run, tables);
  if ("problems" in found) return found;
  const { layers, profile } = found;
  const problems = boundProblems(layers, run);
  if (problems.length > 0) return { problems };
  const sources2 = {};
  const take = (field, layer, value) => {
    if (layer !== void 0) sources2[field] = `${layer.name}.${field}`;
    return value;
  };
  const worker = { ...own };
  if (profile !== void 0) worker["agent_profile"] = take("agent_profile", layerOfProfile(own, layers), profile.id);
  for (const field of scalars) {
    const layer = layers.find(({ says }) => says[field] !== void 0);
    if (layer !== void 0) worker[field] = take(field, layer, layer.says[field]);
  }
  for (const field of lists) {
    const layer = layers.find(({ says }) => (says[field] ?? []).length > 0);
    worker[field] = take(field, layer, layer?.says[field] ?? []);
  }
  const lowest = lowestTrust(layers);
  if (lowest !== void 0) worker["trust_level"] = take("trust_level", lowest, lowest.says.trust_level);
  const timed = layers.find(({ says }) => says.timeout_seconds !== void 0);
  const timeout_seconds = take("timeout_seconds", timed, timed?.says.timeout_seconds);
  if (layers.every(({ name }) => name === "task")) return { task: { ...own !== void 0 && { worker: own }, timeout_seconds } };
  const resolution2 = { ...profile !== void 0 && { profile_origin: profile.origin }, sources: sources2 };
  return { task: { worker: { ...worker, resolution: resolution2 }, timeout_seconds } };
}
function withoutResolution(worker) {
  if (worker?.resolution === void 0) return worker;
  const { resolution: _, ...rest } = worker;
  return rest;
}
function layerOfProfile(own, layers) {
  return layers.find(({ name }) => name === (own?.agent_profile === void 0 ? "run" : "task"));
}

// src/protocol/profile.ts
import { z as z6 } from "zod";

// src/protocol/task.ts
import { z as z5 } from "zod";

// src/protocol/alert.ts
import { z as z3 } from "zod";
var alertEventClasses = [
  "stale",
  "restart_exhausted",
  "needs_human",
  "budget_exceeded",
  "verifier_failed",
  "run_completed"
];
var FleetAlertEventClass = contract("FleetAlertEventClass", () => z3.enum(alertEventClasses));
var endpointShape = () => ({
  url: optional(filled),
  /** Wins over `url`. */
  url_ref: optional(FleetSecretRef.schema),
  secret_ref: optional(FleetSecretRef.schema)
});
var endpointAliases = {
  webhook_url: "url",
  endpoint_url: "url",
  webhook_url_ref: "url_ref",
  webhook_ref: "url_ref",
  url_secret_ref: "url_ref",
  secret: "secret_ref",
  webhook_secret: "secret_ref",
  signing_secret: "secret_ref"
};
var FleetAlertEndpoint = contract("FleetAlertEndpoint", () => aliased(object(endpointShape()), endpointAliases));
var channel = () => z3.discriminatedUnion("kind", [
  object({ kind: z3.literal("slack"), ...endpointShape() }),
  object({ kind: z3.literal("webhook"), ...endpointShape() }),
  object({ kind: z3.literal("pager_duty"), routing_key: filled, severity: filled })
]);
var FleetAlertChannel = contract(
  "FleetAlertChannel",
  () => alsoRead(
    aliased(channel(), endpointAliases, ({ kind }) => kind !== "pager_duty"),
    { pagerduty: "pager_duty" },
    "kind"
  )
);
var FleetAlertPolicy = contract(
  "FleetAlertPolicy",
  () => object({
    events: list(FleetAlertEventClass.schema),
    channels: list(FleetAlertChannel.schema),
    /** Holds back until so many attempts have failed. */
    after_attempts: optional(u32),
    /** Holds back until a task has been stale for so many minutes. */
    after_minutes_stale: optional(u64)
  })
);

// src/protocol/artifact.ts
import { z as z4 } from "zod";
var FleetArtifactKind = contract("FleetArtifactKind", () => z4.string());
var artifactShape = () => ({
  kind: FleetArtifactKind.schema,
  path: filePath,
  checksum: optional(pattern('a checksum "sha256:" and 64 hex digits', /^sha256:[0-9A-Fa-f]{64}$/)),
  mime_type: optional(z4.string()),
  size_bytes: optional(u64)
});
var FleetArtifactRef = contract("FleetArtifactRef", () => object(artifactShape()));

// src/protocol/task.ts
var modelId = hiddenText(
  'a model id without spaces, quotes or "="',
  (value) => /^[!-~]+$/.test(value) && !/[='"]/.test(value)
);
var FleetTaskWorkerProfile = contract(
  "FleetTaskWorkerProfile",
  () => aliased(
    object({
      agent_profile: optional(token),
      role: optional(token),
      loadout: optional(token),
      model_class: optional(token),
      model: optional(modelId),
      tool_profile: optional(filled),
      tools: list(filled),
      capabilities: list(filled),
      /** How to work, besides the task's own instructions. */
      instructions: optional(filled),
      /** The highest level that the task runs at; it raises none (SE1). */
      trust_level: optional(FleetTrustLevel.schema),
      /** Written by the fleet when it merged a profile: where each value comes from. What a document says here is not read. */
      resolution: optional(object({ profile_origin: optional(z5.string()), sources: map(z5.string()) }))
    }),
    { profile: "agent_profile" }
  )
);
var FleetEnvironmentRequirements = contract(
  "FleetEnvironmentRequirements",
  () => object({ required: list(variableName), allowlist: list(variableName) })
);
var FleetWorkspaceRequirements = contract(
  "FleetWorkspaceRequirements",
  () => object({
    root: optional(filePath),
    required_files: list(filePath),
    writable_paths: list(filePath),
    environment: optional(FleetEnvironmentRequirements.schema)
  })
);
var FleetTaskBudget = contract(
  "FleetTaskBudget",
  () => object({ max_tokens: optional(u64), max_tool_calls: optional(u32), max_seconds: optional(u64) })
);
var FleetScorerSpec = contract(
  "FleetScorerSpec",
  () => z5.discriminatedUnion("kind", [
    object({ kind: z5.literal("exit_code") }),
    object({ kind: z5.literal("file_exists"), path: filePath }),
    object({ kind: z5.literal("regex_match"), path: filePath, pattern: z5.string() }),
    object({ kind: z5.literal("json_path"), path: filePath, expression: z5.string() }),
    object({ kind: z5.literal("command"), command: filled, args: list(z5.string()) }),
    object({ kind: z5.literal("code_whale_verifier_prompt"), prompt: filled }),
    object({ kind: z5.literal("manual") })
  ])
);
var FleetRetryPolicy = contract(
  "FleetRetryPolicy",
  () => object({
    /** Attempts in all, the first included; 0 and 1 both mean no retry. */
    max_attempts: u32.default(3),
    initial_backoff_seconds: u64.default(5),
    max_backoff_seconds: u64.default(300),
    backoff_multiplier: u32.default(2),
    /** When given, exactly these are retried. */
    retry_on: z5.array(z5.enum(["transport", "task", "verifier", "timeout", "stale"])).optional()
  })
);
var contractName = text("one line of 1 to 128 characters", (value) => /^[^\p{Cc}\u2028\u2029]{1,128}$/u.test(value));
var word = text("a non-empty string without NUL", (value) => /^[^\0]+$/.test(value));
var metadata = z5.object({
  /** Lower runs first (SC2). */
  priority: optional(i32),
  /** The class that limits count (SC6). */
  class: optional(filled),
  /** Named claims: two tasks that share one do not run at the same time (SC7). */
  coordination_contracts: sized(contractName, { maxItems: 16 }).optional(),
  /** The argv of a task for command workers (SC3, SE7). */
  command: sized(word, { minItems: 1 }).optional()
}).catchall(json).overwrite(withoutAbsent);
var FleetTaskSpec = contract(
  "FleetTaskSpec",
  () => object({
    id: token,
    name: displayName,
    description: optional(z5.string()),
    objective: optional(filled),
    instructions: filled,
    worker: optional(FleetTaskWorkerProfile.schema),
    workspace: optional(FleetWorkspaceRequirements.schema),
    input_files: list(filePath),
    context: list(z5.string()),
    budget: optional(FleetTaskBudget.schema),
    tags: distinct(filled),
    /** Each is met by one artifact of that kind (AR5). */
    expected_artifacts: list(FleetArtifactKind.schema),
    scorer: optional(FleetScorerSpec.schema),
    retry_policy: optional(FleetRetryPolicy.schema),
    alert_policy: optional(FleetAlertPolicy.schema),
    timeout_seconds: optional(u64),
    metadata: metadata.default({}),
    /** Ids of tasks that must have completed before (SC5). */
    depends_on: distinct(token),
    /** The typed handler that does the work, and its input (SC3). */
    handler: optional(filled),
    input: optional(json),
    concurrency_key: optional(filled),
    not_before: optional(timestamp)
  })
);

// src/protocol/profile.ts
var mostInstructions = 4e3;
var guidance = text(
  `a non-blank string of at most ${mostInstructions} characters`,
  (value) => value.trim() !== "" && value.length <= mostInstructions
);
var settings = () => ({
  loadout: optional(token.pipe(routeText)),
  model_class: optional(token.pipe(routeText)),
  model: optional(modelId.pipe(routeText)),
  tool_profile: optional(filled),
  /** A bound: a task, or a profile of the role, that names others is refused. Empty: it says nothing of tools. */
  tools: distinct(filled),
  capabilities: distinct(filled),
  /** How to work, besides what the task says. */
  instructions: optional(guidance),
  /** The highest level that the work runs at; it raises none (SE1). */
  trust_level: optional(FleetTrustLevel.schema),
  timeout_seconds: optional(atLeastOne)
});
var description = { description: optional(z6.string()) };
var RolePreset = contract("RolePreset", () => known({ ...description, ...settings() }));
var AgentProfile = contract(
  "AgentProfile",
  () => known({ ...description, role: optional(token.pipe(routeText)), ...settings() })
);
function known(shape2) {
  const names3 = Object.keys(shape2);
  return z6.looseObject(shape2).superRefine(
    (value, context) => {
      if (typeof value !== "object" || value === null) return;
      for (const name of Object.keys(value)) {
        if (names3.includes(name)) continue;
        const message = `nothing: there are ${names3.join(", ")}, and what a run may do stands in its security_policy`;
        context.addIssue({ code: "custom", path: [name], message, params: { got: "a field" } });
      }
    },
    { when: () => true }
  ).overwrite(withoutAbsent);
}

// src/fleet/profiles.ts
function profileProblems({ profiles, roles }) {
  return [...problemsIn("profiles", profiles, AgentProfile), ...problemsIn("roles", roles, RolePreset)];
}
function problemsIn(under, table, contract2) {
  if (table === void 0) return [];
  if (typeof table !== "object" || table === null || Array.isArray(table)) return [`${under}: expected an object by name`];
  return Object.entries(table).flatMap(([name, definition]) => {
    if (!isToken(name) || name === reservedId) return [`${under}[${JSON.stringify(name)}]: this can be no name`];
    const reading = contract2.read(definition);
    if (reading.ok) return [];
    return reading.problems.map(
      ({ path, expected: expected2, got }) => `${formatPath([under, name, ...path])}: expected ${expected2}, got ${got}`
    );
  });
}
function profileTables({ profiles = {}, roles = {} }) {
  return {
    profiles: new Map([...tableOf("built-in", builtInProfiles, AgentProfile), ...tableOf("fleet", profiles, AgentProfile)]),
    roles: new Map([...tableOf("built-in", builtInRoles, RolePreset), ...tableOf("fleet", roles, RolePreset)])
  };
}
function tableOf(origin, table, contract2) {
  return Object.entries(table).map(([name, definition]) => [name, { origin, definition: contract2.parse(definition) }]);
}
function* mergingProfiles(tasks, run, tables) {
  if (run.worker_defaults === void 0 && !tasks.some(({ worker }) => worker !== void 0)) return { tasks, refusals: [] };
  const merged = [];
  const refusals = /* @__PURE__ */ new Map();
  for (const [index, task] of tasks.entries()) {
    if (task.worker === void 0 && run.worker_defaults === void 0) {
      merged.push(task);
      continue;
    }
    const outcome = mergeProfile(task, run, tables);
    if ("problems" in outcome) for (const problem of outcome.problems) keep(refusals, refusalOf(problem, index));
    else merged.push(withMerged(task, outcome.task));
    yield;
  }
  return { tasks: merged, refusals: [...refusals.values()] };
}
function keep(refusals, refusal3) {
  refusals.set(`${refusal3.path} ${refusal3.reason}`, refusal3);
}
function refusalOf({ of, field, reason }, index) {
  return { path: of === "run" ? field : `tasks[${index}].${field}`, reason };
}
function withMerged(task, { worker, timeout_seconds }) {
  if (worker === task.worker) return task;
  return { ...task, worker, ...timeout_seconds !== void 0 && { timeout_seconds } };
}

// src/fleet/check-options.ts
var wholeFrom = (least) => (value) => typeof value === "number" && Number.isSafeInteger(value) && value >= least ? void 0 : `expected an integer from ${least}`;
var flag2 = (value) => typeof value === "boolean" ? void 0 : "expected true or false";
var backoff = (value) => {
  const { first, most } = typeof value === "object" && value !== null ? value : {};
  const problem = wholeFrom(0)(first) ?? wholeFrom(0)(most);
  return problem === void 0 ? void 0 : `expected { first, most }, each an integer from 0`;
};
var limitChecks = {
  leaseTtlMs: wholeFrom(1),
  attemptTimeoutMs: wholeFrom(1),
  stallAfterMs: wholeFrom(1),
  closeGraceMs: wholeFrom(0),
  handBackGraceMs: wholeFrom(0),
  stopGraceMs: wholeFrom(0),
  scorerTimeoutMs: wholeFrom(1),
  commandScorerTimeoutMs: wholeFrom(1),
  secretTimeoutMs: wholeFrom(1),
  workerBackoffMs: backoff,
  alertTries: wholeFrom(1),
  alertBackoffMs: backoff,
  alertCloseGraceMs: wholeFrom(0),
  abandonedAtOnce: wholeFrom(1),
  maxLeases: wholeFrom(1),
  jitter: flag2,
  keptReports: wholeFrom(0),
  snapshotAfter: wholeFrom(1),
  snapshotAtEndAfter: wholeFrom(1),
  taskSlice: wholeFrom(1),
  logBytes: wholeFrom(0),
  artifactBytes: wholeFrom(0),
  attemptBytes: wholeFrom(0),
  attemptArtifacts: wholeFrom(0),
  eventBuffer: wholeFrom(1)
};
var limitOfTable = (value) => isTable(value) ? void 0 : "expected an object of limits by name";
var concurrencyChecks = {
  classes: limitOfTable,
  keys: limitOfTable,
  everyKey: (value) => isTable(value) ? void 0 : "expected { atOnce, perInterval }"
};
var perLimitChecks = {
  atOnce: wholeFrom(1),
  perInterval: (value) => {
    const { starts, intervalMs } = isTable(value) ? value : {};
    const problem = wholeFrom(1)(starts) ?? wholeFrom(1)(intervalMs);
    return problem === void 0 ? void 0 : "expected { starts, intervalMs }, each an integer from 1";
  }
};
var retentionChecks = { endedRuns: wholeFrom(0), maxAgeMs: wholeFrom(0) };
var callable = (value) => typeof value === "function" ? void 0 : "expected a function";
var text2 = (value) => typeof value === "string" && value !== "" ? void 0 : "expected some text";
var sinks = (value) => {
  const kinds = ["slack", "webhook", "pager_duty"];
  const given = typeof value === "object" && value !== null ? Object.entries(value) : void 0;
  const wrong = given?.find(
    ([kind, sink]) => !kinds.includes(kind) || typeof sink?.deliver !== "function"
  );
  return given !== void 0 && wrong === void 0 ? void 0 : `expected sinks by kind of channel: ${kinds.join(", ")}`;
};
var alertChecks = {
  sinks,
  allowPrivateAddresses: flag2,
  allowHttp: flag2,
  ca: text2,
  timeoutMs: wholeFrom(1),
  pagerDutyUrl: (value) => typeof value === "string" && URL.canParse(value) ? void 0 : "expected a URL"
};
function checkOptions({
  alerts = {},
  limits: limits4 = {},
  retention = {},
  concurrency = {},
  containers = {},
  slots,
  profiles,
  roles,
  verifier
}) {
  const problems = [
    ...problemsOf("limits", limits4, limitChecks),
    ...problemsOf("alerts", alerts, alertChecks),
    ...problemsOf("retention", retention, retentionChecks),
    ...concurrencyProblems(concurrency),
    ...containersProblems(containers).map((problem) => `containers.${problem}`),
    ...profileProblems({ ...profiles !== void 0 && { profiles }, ...roles !== void 0 && { roles } }),
    ...problemsOf("", { slots, verifier }, { slots: wholeFrom(1), verifier: callable })
  ];
  if (problems.length > 0) {
    throw new FleetError("invalid_option", `The options cannot be used:
${problems.join("\n")}`, { details: { problems } });
  }
  return Object.fromEntries(Object.entries(limits4).filter(([, value]) => value !== void 0));
}
function concurrencyProblems(concurrency) {
  const problems = problemsOf("concurrency", concurrency, concurrencyChecks);
  if (problems.length > 0) return problems;
  const { classes = {}, keys = {}, everyKey } = concurrency;
  const named2 = [
    ...Object.entries(classes).map(([name, limit2]) => [`concurrency.classes.${name}`, limit2]),
    ...Object.entries(keys).map(([name, limit2]) => [`concurrency.keys.${name}`, limit2]),
    ...everyKey === void 0 ? [] : [["concurrency.everyKey", everyKey]]
  ];
  return named2.flatMap(
    ([path, limit2]) => isTable(limit2) ? problemsOf(path, limit2, perLimitChecks) : [`${path}: expected { atOnce, perInterval }, got ${describeFound(limit2, [])}`]
  );
}
function isTable(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function problemsOf(under, given, checks) {
  return Object.entries(given).flatMap(([name, value]) => {
    const path = under === "" ? name : `${under}.${name}`;
    const check = Object.hasOwn(checks, name) ? checks[name] : void 0;
    if (check === void 0) return [`${path}: there is no such option; there are ${Object.keys(checks).join(", ")}`];
    const problem = value === void 0 ? void 0 : check(value);
    return problem === void 0 ? [] : [`${path}: ${problem}, got ${String(value)}`];
  });
}

// src/fleet/open-world.ts
import { resolve as resolve2, sep as sep2 } from "node:path";

// src/engine/alert-record.ts
function changedAlerts(alerts, changes) {
  return changes.reduce((now, { id, set }) => {
    const at = now.findIndex((alert) => alert.id === id);
    if (set === null) return now.filter((alert) => alert.id !== id);
    return at < 0 ? [...now, set] : now.map((alert, index) => index === at ? { ...alert, ...set } : alert);
  }, alerts);
}
function unsettledAlerts(alerts) {
  return alerts.reduce((count2, { status, notBefore }) => {
    const isHeldUntil = status === "held" && notBefore !== null;
    return count2 + (status === "owed" || isHeldUntil ? 1 : 0);
  }, 0);
}

// src/engine/ended-spec.ts
function shortenSpec(spec, policy) {
  const { command } = spec.metadata;
  return {
    id: spec.id,
    name: spec.name,
    instructions: "",
    input_files: none,
    context: none,
    expected_artifacts: none,
    tags: spec.tags.length === 0 ? none : spec.tags,
    depends_on: spec.depends_on.length === 0 ? none : spec.depends_on,
    metadata: command === void 0 ? noMetadata : { command },
    handler: spec.handler,
    worker: spec.worker,
    // Its alerts may still be under way, and more may follow from the end of the run.
    alert_policy: policy ?? void 0,
    scorer: spec.scorer === void 0 ? void 0 : shortScorer(spec.scorer)
  };
}
function shortScorer(scorer) {
  if (scorer.kind === "manual") return scorer;
  return scorer.kind === "command" ? { ...scorer, args: none } : void 0;
}
var none = [];
var noMetadata = {};
async function readSpecs({ store, clock }, run, tasks) {
  const wanted = /* @__PURE__ */ new Map();
  for (const { id, isShort, addedBy } of tasks) {
    if (!isShort) continue;
    const ids = wanted.get(addedBy);
    if (ids === void 0) wanted.set(addedBy, /* @__PURE__ */ new Set([id]));
    else ids.add(id);
  }
  const found = /* @__PURE__ */ new Map();
  for (const [seq, ids] of wanted) {
    const [entry] = await store.read(run, { from: seq, limit: 1 });
    for (const { spec } of entry?.tasks ?? []) if (ids.has(spec.id)) found.set(spec.id, spec);
    await clock.turn();
  }
  return found;
}
function lengthen(run, specs) {
  for (const [id, spec] of specs) {
    const task = run.tasks.get(id);
    if (task?.isShort !== true) continue;
    task.spec = spec;
    task.isShort = false;
  }
}

// src/engine/entry.ts
function entryOf(draft, seq, at) {
  return {
    seq,
    at,
    kind: draft.kind,
    created: draft.created,
    taskCount: draft.taskCount,
    run: draft.run,
    tasks: draft.tasks,
    task: draft.task,
    attempt: draft.attempt,
    set: draft.set,
    worker: draft.worker,
    workerSeq: draft.workerSeq,
    events: draft.events,
    receipt: draft.receipt,
    effects: draft.effects,
    raised: draft.raised,
    alerts: draft.alerts,
    delivery: draft.delivery,
    record: draft.record,
    posted: draft.posted
  };
}
function* nothing() {
}
function* just(draft) {
  yield draft;
}
function isEnqueuedAtOnce({ set }) {
  return set.status === "enqueued";
}

// src/lifecycles/lease.ts
import { assign, setup } from "xstate";

// src/lifecycles/table.ts
function compileTable(machine) {
  const { root } = machine;
  const refuse3 = (what) => {
    throw new TypeError(
      `The machine ${machine.id} has ${what}, which a table cannot do. Keep it flat, its guards and actions named.`
    );
  };
  requirePlain(root, refuse3);
  return new Map(
    Object.values(root.states).map((node) => {
      if (node.type !== "atomic") refuse3(`the state ${node.key} of type ${node.type}`);
      requirePlain(node, refuse3);
      const types = /* @__PURE__ */ new Set([...node.transitions.keys(), ...root.transitions.keys()]);
      const rows = [...types].map((type) => {
        const found = [...node.transitions.get(type) ?? [], ...root.transitions.get(type) ?? []];
        return [type, found.map((transition) => rowOf(machine, transition, refuse3))];
      });
      return [node.key, new Map(rows)];
    })
  );
}
function initialOf(machine) {
  const value = machine.root.initial.target[0]?.key;
  const context = machine.config.context ?? {};
  if (value === void 0 || typeof context !== "object")
    throw new TypeError(`The machine ${machine.id} does not begin in one state with a plain context, which a table needs.`);
  return { value, context };
}
function stepTable(table, value, context, event) {
  const rows = table.get(value)?.get(event.type);
  if (rows === void 0) return void 0;
  const before = { context, event };
  for (const { guard, target, assigns } of rows) {
    if (guard !== void 0 && !guard(before)) continue;
    if (target === void 0 && assigns.length === 0) return void 0;
    let now = context;
    for (const assign3 of assigns) now = assign3({ context: now, event });
    return { value: target ?? value, context: now };
  }
  return void 0;
}
function requirePlain(node, refuse3) {
  const where = node.parent === void 0 ? "of its own" : `in the state ${node.key}`;
  if (node.after.length > 0) refuse3(`a delayed transition ${where}`);
  if (node.entry.length > 0 || node.exit.length > 0) refuse3(`entry or exit actions ${where}`);
  if (node.invoke.length > 0) refuse3(`an invocation ${where}`);
  if ((node.always ?? []).length > 0) refuse3(`an eventless transition ${where}`);
  for (const type of node.transitions.keys()) if (type.includes("*")) refuse3(`a wildcard transition ${where}`);
}
function rowOf(machine, transition, refuse3) {
  const targets = transition.target ?? [];
  if (targets.length > 1) refuse3(`a transition to ${targets.length} states`);
  return {
    guard: transition.guard === void 0 ? void 0 : guardOf(machine, transition.guard, refuse3),
    target: targets[0]?.key,
    assigns: transition.actions.map((action) => assignOf(machine, action, refuse3))
  };
}
function guardOf(machine, guard, refuse3) {
  const { type, params } = nameAndParams(guard);
  const found = type === void 0 ? void 0 : machine.implementations.guards[type];
  if (typeof found !== "function") return refuse3(`the guard ${type ?? "without a name"}`);
  return (args) => found(args, params);
}
function assignOf(machine, action, refuse3) {
  const { type, params } = nameAndParams(action);
  const found = type === void 0 ? void 0 : machine.implementations.actions[type];
  const assignment = typeof found === "function" && "assignment" in found ? found.assignment : void 0;
  if (typeof assignment !== "object" || assignment === null) return refuse3(`the action ${type ?? "without a name"}`);
  const fields2 = Object.entries(assignment);
  return (args) => {
    const next = { ...args.context };
    for (const [field, value] of fields2) {
      next[field] = typeof value === "function" ? value(args, params) : value;
    }
    return next;
  };
}
function nameAndParams(named2) {
  if (typeof named2 === "string") return { type: named2 };
  return typeof named2 === "object" ? named2 : {};
}

// src/lifecycles/lifecycle.ts
function createLifecycle(make) {
  let made2;
  const parts2 = () => made2 ??= compile(make());
  return {
    get machine() {
      return parts2().machine;
    },
    get initial() {
      return parts2().initial;
    },
    get values() {
      return parts2().values;
    },
    // The table keeps the shape of the context: assignments are typed by the machine.
    step: ({ value, context }, event) => stepTable(parts2().table, value, context, event),
    hasTag: (value, tag) => parts2().tags.get(value)?.has(tag) ?? false
  };
}
function compile(machine) {
  const values = Object.keys(machine.root.states);
  return {
    machine,
    values,
    tags: new Map(values.map((value) => [value, new Set(machine.root.states[value]?.tags ?? [])])),
    table: compileTable(machine),
    initial: initialOf(machine)
  };
}

// src/lifecycles/lease.ts
var failures = [
  { guard: "retriesLater", target: "backoff", actions: "countFailure" },
  { guard: "retriesNow", target: "enqueued", actions: "countFailure" },
  { target: "failed", actions: "countFailure" }
];
var makeLeaseMachine = () => setup({
  types: {},
  guards: {
    delayed: ({ event }) => "delayed" in event && event.delayed,
    blocked: ({ event }) => "blocked" in event && event.blocked,
    retriesLater: ({ event }) => event.type === "fail" && event.retry && event.delayed,
    retriesNow: ({ event }) => event.type === "fail" && event.retry
  },
  actions: {
    countAttempt: assign({ attempt: ({ context }) => context.attempt + 1 }),
    countFailure: assign({ failures: ({ context }) => context.failures + 1, crashes: 0 }),
    countRelease: assign({
      crashes: ({ context, event }) => event.type === "release" && event.crash ? context.crashes + 1 : 0
    }),
    forgetCrashes: assign({ crashes: 0 }),
    refreshBudget: assign({ failures: 0, crashes: 0 })
  }
}).createMachine({
  id: "lease",
  context: { attempt: 0, failures: 0, crashes: 0 },
  initial: "blocked",
  // A restart is accepted in every state (LE9).
  on: {
    restart: [
      { guard: "blocked", target: ".blocked", actions: "refreshBudget" },
      { guard: "delayed", target: ".backoff", actions: "refreshBudget" },
      { target: ".enqueued", actions: "refreshBudget" }
    ]
  },
  states: {
    blocked: {
      tags: "waiting",
      on: { unblock: [{ guard: "delayed", target: "backoff" }, { target: "enqueued" }], cancel: "cancelled" }
    },
    backoff: { tags: "waiting", on: { due: "enqueued", block: "blocked", cancel: "cancelled" } },
    enqueued: {
      tags: "waiting",
      on: { lease: { target: "starting", actions: "countAttempt" }, block: "blocked", cancel: "cancelled" }
    },
    starting: {
      tags: ["leased", "working"],
      on: {
        accept: "running",
        finish: { target: "verifying", actions: "forgetCrashes" },
        fail: [...failures],
        release: { target: "enqueued", actions: "countRelease" },
        cancel: "cancelled"
      }
    },
    running: {
      tags: ["leased", "working"],
      on: {
        finish: { target: "verifying", actions: "forgetCrashes" },
        fail: [...failures],
        release: { target: "enqueued", actions: "countRelease" },
        cancel: "cancelled"
      }
    },
    verifying: {
      tags: "leased",
      on: {
        pass: "completed",
        fail: [...failures],
        cancel: "cancelled"
      }
    },
    completed: { tags: "ended", on: { overturn: "failed" } },
    failed: { tags: "ended" },
    cancelled: { tags: "ended" }
  }
});
var leaseLifecycle = createLifecycle(makeLeaseMachine);

// src/engine/alert-policies.ts
function createAlertPolicies() {
  const known3 = /* @__PURE__ */ new Map();
  return {
    of({ alert_policy: policy }) {
      if (policy === void 0 || policy.channels.length === 0) return null;
      const text3 = JSON.stringify(policy);
      const before = known3.get(text3);
      if (before === void 0) known3.set(text3, policy);
      return before ?? policy;
    },
    get any() {
      return known3.size > 0;
    }
  };
}
function covers({ events }, name) {
  return events.length === 0 || events.includes(name);
}

// src/security/claims.ts
function claimsOf(spec, workspace) {
  const paths = spec.workspace?.writable_paths ?? [];
  const names3 = spec.metadata["coordination_contracts"] ?? [];
  if (paths.length === 0 && names3.length === 0) return void 0;
  const root = spec.workspace?.root ?? ".";
  const base = root.startsWith("/") ? root : `${workspace}/${root}`;
  return { paths: [...new Set(paths.map((path) => absolute(base, path)))].sort(), names: [...new Set(names3)].sort() };
}
function overlap2(a, b) {
  const name = a.names.find((one) => b.names.includes(one));
  if (name !== void 0) return name;
  for (const path of a.paths) {
    const other = b.paths.find((one) => isWithin(path, one) || isWithin(one, path));
    if (other !== void 0) return path.length > other.length ? path : other;
  }
  return void 0;
}
function absolute(base, path) {
  const wildcard = path.split("/").findIndex((part) => /[*?[{]/.test(part));
  const fixed = wildcard < 0 ? path : path.split("/").slice(0, wildcard).join("/");
  const parts2 = `${base}/${fixed}`.split("/").filter((part) => part !== "" && part !== ".");
  return `/${parts2.join("/")}`;
}
function isWithin(path, folder) {
  return path === folder || folder === "/" || path.startsWith(`${folder}/`);
}

// src/engine/instant.ts
function instant(at) {
  return new Date(at).toISOString();
}
function moment(now, delayMs) {
  return delayMs > 0 ? { notBefore: now + delayMs, notBeforeMs: delayMs } : { notBefore: null, notBeforeMs: null };
}

// src/engine/limit-gate.ts
var nouns = { class_limit: "class", key_limit: "concurrency key" };
function createLimitGate(kind, name, limit2) {
  const { atOnce, perInterval } = limit2;
  const starts = [];
  function opensAt(now) {
    const oldest = starts[0];
    if (perInterval === void 0 || oldest === void 0 || starts.length < perInterval.starts) return void 0;
    const at = Math.min(oldest, now) + perInterval.intervalMs;
    return at > now ? at : void 0;
  }
  return {
    kind,
    id: `${kind}:${name}`,
    held: 0,
    started(at) {
      if (perInterval === void 0) return;
      starts.push(at);
      if (starts.length > perInterval.starts) starts.shift();
    },
    closed(now) {
      if (atOnce !== void 0 && this.held >= atOnce) {
        return { message: `The ${nouns[kind]} ${name} has its ${atOnce} lease(s) at once.`, opensAt: void 0 };
      }
      const at = opensAt(now);
      if (at === void 0 || perInterval === void 0) return void 0;
      const { starts: most, intervalMs } = perInterval;
      const message = `The ${nouns[kind]} ${name} had its ${most} start(s) in ${intervalMs / 1e3} s; the next may come at ${instant(at)}.`;
      return { message, opensAt: at };
    },
    isIdle(now) {
      return this.held === 0 && (starts.at(-1) ?? -Infinity) + (perInterval?.intervalMs ?? 0) <= now;
    }
  };
}

// src/engine/gates.ts
var oneAtOnce = { atOnce: 1 };
var sweepFrom = 1024;
function createGates({ limits: limits4, later }) {
  const limited = /* @__PURE__ */ new Map();
  const claimed = /* @__PURE__ */ new Map();
  const waiting = /* @__PURE__ */ new Map();
  const timed = /* @__PURE__ */ new Set();
  let sweepAt2 = sweepFrom;
  function limitsOf(gates) {
    const ofClass = gates.class === void 0 ? void 0 : limits4.classes?.[gates.class];
    return [
      ...gates.class === void 0 || ofClass === void 0 ? [] : [limitGate("class_limit", gates.class, ofClass)],
      ...gates.key === void 0 ? [] : [limitGate("key_limit", gates.key, limits4.keys?.[gates.key] ?? limits4.everyKey ?? oneAtOnce)]
    ];
  }
  function limitGate(kind, name, limit2) {
    const id = `${kind}:${name}`;
    let gate = limited.get(id);
    if (gate === void 0) limited.set(id, gate = createLimitGate(kind, name, limit2));
    return gate;
  }
  function sweep2(now) {
    for (const gate of limited.values()) if (gate.isIdle(now)) limited.delete(gate.id);
    sweepAt2 = Math.max(sweepFrom, 2 * limited.size);
  }
  function open3(id) {
    const heard = waiting.get(id);
    waiting.delete(id);
    for (const opened of heard ?? []) opened(id);
  }
  return {
    against: (gates, now) => closedGates(limitsOf(gates), gates.claims, claimed, now),
    hold(holder, gates) {
      for (const gate of limitsOf(gates)) gate.held += 1;
      if (gates.claims !== void 0) claimed.set(claimId(holder), { holder, claims: gates.claims });
    },
    release(holder, gates) {
      for (const gate of limitsOf(gates)) {
        gate.held -= 1;
        open3(gate.id);
      }
      if (gates.claims === void 0) return;
      claimed.delete(claimId(holder));
      open3(claimId(holder));
    },
    started(gates, at) {
      for (const gate of limitsOf(gates)) gate.started(at);
      if (limited.size >= sweepAt2) sweep2(at);
    },
    waitAt({ id, opensAt }, now, opened) {
      const heard = waiting.get(id);
      if (heard === void 0) waiting.set(id, /* @__PURE__ */ new Set([opened]));
      else heard.add(opened);
      if (opensAt === void 0 || timed.has(id)) return;
      timed.add(id);
      later(Math.max(1, opensAt - now), () => {
        timed.delete(id);
        open3(id);
      });
    }
  };
}
function* closedGates(limits4, wanted, claimed, now) {
  for (const gate of limits4) {
    const closed = gate.closed(now);
    if (closed !== void 0) yield { for: gate.kind, id: gate.id, ...closed };
  }
  if (wanted === void 0) return;
  for (const [id, { holder, claims: claims2 }] of claimed) {
    const both = overlap2(wanted, claims2);
    if (both !== void 0) yield { for: "claim", id, message: claimMessage(both, holder), opensAt: void 0, holder };
  }
}
function claimId({ run, task, attempt }) {
  return attempt === void 0 ? `claim:${run}/${task}` : `claim:${run}/${task}/${attempt}`;
}
function claimMessage(both, { run, task, attempt }) {
  const who = attempt === void 0 ? `the task ${task}` : `attempt ${attempt} of the task ${task}, which has not ended yet,`;
  return `It waits for ${who} of run ${run}: both claim ${both}.`;
}

// src/engine/lanes.ts
import TinyQueue from "tinyqueue";

// src/engine/ticket.ts
function ticketOf(task) {
  return { task, version: task.version, enqueuedAt: task.enqueuedAt };
}
function isLive({ task, version }) {
  return task.version === version;
}
function order(a, b) {
  return a.task.priority - b.task.priority || a.enqueuedAt - b.enqueuedAt || a.task.index - b.task.index;
}
function liveHead(queue) {
  for (let ticket = queue.peek(); ticket !== void 0; ticket = queue.peek()) {
    if (isLive(ticket)) return ticket;
    queue.pop();
  }
  return void 0;
}

// src/engine/lanes.ts
function createLanes() {
  const lanes = /* @__PURE__ */ new Map();
  const ready = new TinyQueue([], byTicket);
  const parked = /* @__PURE__ */ new Map();
  const opened = /* @__PURE__ */ new Map();
  function put(lane, ticket, at) {
    const entry = { lane, ticket };
    lane.entry = entry;
    if (at === void 0) ready.push(entry);
    else {
      const queue = parked.get(at);
      if (queue === void 0) parked.set(at, new TinyQueue([entry], byTicket));
      else queue.push(entry);
    }
    return entry;
  }
  function settle2(lane, at) {
    const ticket = liveHead(lane.tickets);
    if (ticket !== void 0) return put(lane, ticket, at);
    lane.entry = void 0;
    lanes.delete(lane.gates.signature);
    return void 0;
  }
  function bringBack() {
    for (const [id, last] of opened) {
      if (last !== void 0 && last.lane.entry === last) continue;
      const back = takeBack2(parked.get(id));
      if (back === void 0) {
        opened.delete(id);
        parked.delete(id);
      } else opened.set(id, back);
    }
  }
  function takeBack2(queue) {
    for (let entry = queue?.pop(); entry !== void 0; entry = queue?.pop()) {
      const back = entry.lane.entry === entry ? settle2(entry.lane, void 0) : void 0;
      if (back !== void 0) return back;
    }
    return void 0;
  }
  function park(lane, gate, gates, now) {
    opened.delete(gate.id);
    settle2(lane, gate.id);
    gates.waitAt(gate, now, hear);
  }
  const hear = (id) => {
    if (parked.has(id)) opened.set(id, void 0);
  };
  return {
    push(ticket, gates) {
      let lane = lanes.get(gates.signature);
      if (lane === void 0)
        lanes.set(gates.signature, lane = { gates, tickets: new TinyQueue([], order), entry: void 0 });
      lane.tickets.push(ticket);
      const { entry } = lane;
      if (entry === void 0 || order(ticket, entry.ticket) < 0) put(lane, ticket, void 0);
    },
    first(gates, now) {
      for (; ; ) {
        bringBack();
        const entry = ready.peek();
        if (entry === void 0) return void 0;
        const { lane, ticket } = entry;
        if (lane.entry !== entry) ready.pop();
        else if (!isLive(ticket)) {
          ready.pop();
          settle2(lane, void 0);
        } else {
          const closed = gates.against(lane.gates, now).next();
          if (closed.done === true) return ticket;
          ready.pop();
          park(lane, closed.value, gates, now);
        }
      }
    },
    isEmpty() {
      for (const lane of lanes.values()) {
        if (liveHead(lane.tickets) !== void 0) return false;
        lane.entry = void 0;
        lanes.delete(lane.gates.signature);
      }
      return true;
    }
  };
}
function byTicket(a, b) {
  return order(a.ticket, b.ticket);
}

// src/engine/ticket-queue.ts
import TinyQueue2 from "tinyqueue";
function createTicketQueue() {
  let queue = new TinyQueue2([], order);
  let fresh = [];
  function orderFresh() {
    if (fresh.length <= queue.length) for (const ticket of fresh) queue.push(ticket);
    else queue = new TinyQueue2([...queue.data, ...fresh].filter(isLive), order);
    fresh = [];
  }
  return {
    push: (ticket) => void fresh.push(ticket),
    head() {
      if (fresh.length > 0) orderFresh();
      return liveHead(queue);
    }
  };
}

// src/engine/ready-queue.ts
function createReadyQueue() {
  const kinds = /* @__PURE__ */ new Map();
  return {
    push(task) {
      const { requirement, gates } = task;
      let kind = kinds.get(requirement.key);
      if (kind === void 0) kinds.set(requirement.key, kind = { requirement, free: createTicketQueue(), gated: void 0 });
      if (gates === null) kind.free.push(ticketOf(task));
      else (kind.gated ??= createLanes()).push(ticketOf(task), gates);
    },
    first(may, gates, now) {
      let best;
      for (const [key, { requirement, free, gated }] of kinds) {
        const head = free.head();
        if (head === void 0 && (gated === void 0 || gated.isEmpty())) kinds.delete(key);
        else if (may(requirement)) best = earlier(earlier(best, head), gated?.first(gates, now));
      }
      return best?.task;
    },
    some(may) {
      for (const { requirement, free, gated } of kinds.values())
        if ((free.head() !== void 0 || gated?.isEmpty() === false) && may(requirement)) return true;
      return false;
    }
  };
}
function earlier(a, b) {
  if (a === void 0 || b === void 0) return a ?? b;
  return order(a, b) <= 0 ? a : b;
}

// src/security/grants.ts
var capabilities = {
  network: {
    isWithin: mayUseNetwork,
    scopeProblem: () => "nothing here can hold work to some hosts; grant the network without a scope, or not at all"
  },
  "workspace-write": {
    isWithin: mayWriteWorkspace,
    scopeProblem(scope) {
      const problem = relativeProblem(scope);
      return problem === void 0 ? void 0 : `it is a path in the workspace that ${problem}`;
    }
  }
};
function grantProblems(policy) {
  return policy.capability_grants.flatMap((grant, index) => {
    const under = `security_policy.capability_grants[${index}]`;
    const capability = Object.hasOwn(capabilities, grant.capability) ? capabilities[grant.capability] : void 0;
    if (capability === void 0) {
      const known3 = Object.keys(capabilities).join(" and ");
      return [
        { path: `${under}.capability`, reason: `nothing here can grant ${JSON.stringify(grant.capability)}; there are ${known3}` }
      ];
    }
    const scope = grant.scope === void 0 ? void 0 : capability.scopeProblem(grant.scope);
    const beyond = !capability.isWithin(policy.max_trust_level);
    return [
      ...scope === void 0 ? [] : [{ path: `${under}.scope`, reason: `this scope of ${grant.capability} is refused: ${scope}` }],
      ...beyond ? [{ path: under, reason: `${grant.capability} is more than the max_trust_level ${policy.max_trust_level} may have` }] : []
    ];
  });
}
function grantsOf(policy) {
  const grants = policy?.capability_grants ?? [];
  const of = (name) => grants.filter(({ capability }) => capability === name);
  return { network: of("network").length > 0, writes: of("workspace-write").map(({ scope = "." }) => normal(scope)) };
}
function coversWrites(grants, paths) {
  return paths.every(
    (path) => grants.writes.some((granted) => granted === "." || normal(path) === granted || normal(path).startsWith(`${granted}/`))
  );
}
function normal(path) {
  const parts2 = path.split("/").filter((part) => part !== "" && part !== ".");
  return parts2.length === 0 ? "." : parts2.join("/");
}

// src/security/trust.ts
var controlsOf = {
  sandbox: ["network", "fileWrites", "environment", "processes"],
  local: [],
  remote_verified: [],
  operator: []
};
function neededControls(level, grants) {
  return controlsOf[level].filter((control) => !(control === "network" && grants.network));
}
function openTerms(level, source) {
  return { level, confined: void 0, permissions: permissions({ write: true, network: true, isOpen: true, source }) };
}
var openAt = {
  sandbox: openTerms("sandbox", "trust level sandbox, of which nothing was enforced"),
  local: openTerms("local", "trust level local"),
  remote_verified: openTerms("remote_verified", "trust level remote_verified"),
  operator: openTerms("operator", "trust level operator")
};
var usualTerms = openAt.local;
function leaseTerms(level, lease2) {
  if (controlsOf[level].length === 0 || !lease2.isEnforced) return openAt[level];
  const { grants, writablePaths } = lease2;
  const writable = grants.writes.length > 0 && writablePaths.length > 0 ? writablePaths : grants.writes;
  const granted = [...grants.network ? ["network"] : [], ...writable.map((path) => `workspace-write ${path}`)];
  const source = [`trust level ${level}`, ...granted.length > 0 ? [`with ${granted.join(", ")}`] : []].join(" ");
  return {
    level,
    confined: { network: grants.network, writable_paths: writable },
    permissions: permissions({ write: writable.length > 0, network: grants.network, isOpen: false, source })
  };
}
function permissions(of) {
  const { write, network, isOpen, source } = of;
  return {
    write,
    network,
    // A shell may run in a sandbox; it does no more than the sandbox lets it.
    shell: write ? "full" : "read_only",
    tool_scope: "inherit",
    tools: [],
    background: isOpen,
    max_spawn_depth: 0,
    source
  };
}

// src/engine/requirement.ts
function createRequirements(run) {
  const plain = /* @__PURE__ */ new Map();
  const known3 = /* @__PURE__ */ new Map();
  function shared(spec) {
    const made2 = requirementOf(spec, run);
    const before = known3.get(made2.key);
    if (before === void 0) known3.set(made2.key, made2);
    return before ?? made2;
  }
  return {
    of(spec) {
      if (spec.worker !== void 0 || spec.metadata["command"] !== void 0 || writesOf(spec).length > 0 || isChecked(spec))
        return shared(spec);
      let requirement = plain.get(spec.handler);
      if (requirement === void 0) plain.set(spec.handler, requirement = shared(spec));
      return requirement;
    }
  };
}
function requirementOf(spec, run) {
  const workers = run.worker_specs.length > 0 ? run.worker_specs.map((worker) => worker.id) : void 0;
  const grants = grantsOf(run.security_policy);
  const facts = {
    handler: spec.handler,
    command: spec.metadata["command"] !== void 0,
    checks: isChecked(spec),
    capabilities: [...spec.worker?.capabilities ?? []].sort(),
    role: spec.worker?.role,
    target: run.target,
    policyTrust: run.security_policy?.default_trust_level ?? "sandbox",
    maxTrust: lowerTrust(run.security_policy?.max_trust_level ?? "operator", spec.worker?.trust_level ?? "operator"),
    verified: run.security_policy?.require_identity_verification ?? false,
    grants,
    wantsUngranted: !coversWrites(grants, writesOf(spec)),
    workers
  };
  return { key: JSON.stringify(facts), ...facts };
}
function isChecked({ scorer }) {
  return scorer?.kind === "command";
}
function writesOf(spec) {
  return spec.workspace?.writable_paths ?? [];
}
function mismatches(requirement, worker) {
  return [...misfits(requirement, worker), ...unenforceable(requirement, worker)];
}
function misfits(requirement, worker) {
  const reasons = [];
  if (requirement.workers !== void 0 && !requirement.workers.includes(worker.id))
    reasons.push("is not among the run\u2019s workers");
  if (requirement.handler !== void 0 && !worker.serves.handlers.includes(requirement.handler)) {
    reasons.push(`does not serve the handler ${requirement.handler}`);
  }
  if (requirement.command && !worker.serves.commands) reasons.push("does not run commands");
  if (requirement.handler === void 0 && !requirement.command && !worker.serves.plain) {
    reasons.push("serves only tasks that name a handler or a command");
  }
  const missing3 = requirement.capabilities.filter((capability) => !worker.capabilities.includes(capability));
  if (missing3.length > 0)
    reasons.push(`lacks ${missing3.length === 1 ? "the capability" : "the capabilities"} ${missing3.join(", ")}`);
  if (requirement.role !== void 0 && worker.roles.length > 0 && !worker.roles.includes(requirement.role)) {
    reasons.push(`does not serve the role ${requirement.role}`);
  }
  if (requirement.checks && worker.checks === void 0) reasons.push("cannot run the command of its scorer on its host");
  if (requirement.target === "this_computer" && worker.host !== "local") reasons.push("is not on this computer");
  if (requirement.target === "another_computer" && worker.host === "local") reasons.push("is not on another computer");
  return reasons;
}
function unenforceable(requirement, worker) {
  const level = effectiveTrust(requirement, worker);
  const needed = neededControls(level, requirement.grants);
  if (needed.length === 0) return [];
  if (!isEnforced(requirement, worker)) {
    if (worker.runsUnenforced) return [];
    const { because } = worker.enforces;
    return [`cannot enforce the trust level ${level}${because === void 0 ? "" : `: ${because}`}`];
  }
  const checks = requirement.checks ? worker.checks?.enforces : void 0;
  if (checks !== void 0 && !needed.every((control) => checks[control])) {
    const { because } = checks;
    return [`cannot enforce the trust level ${level} on the command of its scorer${because === void 0 ? "" : `: ${because}`}`];
  }
  return requirement.wantsUngranted ? [`may not let it write its writable_paths at the trust level ${level}: grant workspace-write for them`] : [];
}
function isEnforced(requirement, worker) {
  return neededControls(effectiveTrust(requirement, worker), requirement.grants).every((control) => worker.enforces[control]);
}
function effectiveTrust(requirement, worker) {
  if (requirement.verified && worker.host !== "local" && !worker.verified) return "sandbox";
  return lowerTrust(worker.trust ?? requirement.policyTrust, requirement.maxTrust);
}

// src/engine/run-spend.ts
function createRunSpend(budget) {
  let tokens = 0;
  let toolCalls = 0;
  let endedMs = 0;
  let leases = 0;
  let leasedAt = 0;
  return {
    budget,
    count(task, by) {
      tokens += by * (task.inputTokens + task.outputTokens);
      toolCalls += by * task.toolCalls;
      endedMs += by * task.spentMs;
      if (!leaseLifecycle.hasTag(task.status, "leased") || task.leasedAt === null) return;
      leases += by;
      leasedAt += by * task.leasedAt;
    },
    by: (now) => ({ tokens, toolCalls, ms: endedMs + Math.max(0, leases * now - leasedAt) }),
    get leases() {
      return leases;
    }
  };
}

// src/engine/task-gates.ts
function gatesOf(spec, workspace) {
  const claims2 = claimsOf(spec, workspace);
  const { class: ofClass } = spec.metadata;
  const key = spec.concurrency_key;
  if (claims2 === void 0 && ofClass === void 0 && key === void 0) return null;
  return { signature: JSON.stringify([ofClass, key, claims2]), class: ofClass, key, claims: claims2 };
}

// src/engine/tally.ts
function createTally2() {
  return { partial: 0, restarted: 0, escalated: 0, transport_failed: 0, task_failed: 0, verifier_failed: 0, stale: 0 };
}
function count(tally, task, by) {
  if (task.status === "completed" && task.result === "partial") tally.partial += by;
  if (task.status === "failed" && task.failureKind) tally[`${task.failureKind}_failed`] += by;
  if (task.stale) tally.stale += by;
  if (task.escalated) tally.escalated += by;
  tally.restarted += by * task.restarts;
}

// src/engine/worker-seqs.ts
function seqOf(seqs, worker) {
  for (const [id, seq] of seqs) if (id === worker) return seq;
  return 0;
}
function withSeq(seqs, worker, seq) {
  return [...seqs.filter(([id]) => id !== worker), [worker, seq]];
}

// src/engine/state.ts
var fleetReporter = "fleet";
function createFleetState(gates = { limits: {}, later: () => void 0 }) {
  return {
    ...{ runs: /* @__PURE__ */ new Map(), holdings: /* @__PURE__ */ new Map(), turns: /* @__PURE__ */ new Set(), working: 0, fleetSeq: 0, workers: /* @__PURE__ */ new Map() },
    gates: createGates(gates)
  };
}
function createRunState(header) {
  return {
    header,
    status: "pending",
    pausedFrom: null,
    updatedAt: header.createdAt,
    completedAt: null,
    opened: false,
    sealed: !header.open,
    seq: 0,
    durableSeq: 0,
    snapshotSeq: 0,
    lastAt: header.createdAt,
    tasks: /* @__PURE__ */ new Map(),
    dependants: /* @__PURE__ */ new Map(),
    counts: Object.fromEntries(leaseLifecycle.values.map((value) => [value, 0])),
    tally: createTally2(),
    spend: header.budget === void 0 ? null : createRunSpend(header.budget),
    overBudget: null,
    workers: /* @__PURE__ */ new Set(),
    working: 0,
    ready: createReadyQueue(),
    requirements: createRequirements(header),
    alertPolicies: createAlertPolicies(),
    unsettled: 0,
    posted: /* @__PURE__ */ new Set(),
    carried: true
  };
}
function createTaskState(run, spec, added) {
  const first = leaseLifecycle.initial;
  return {
    id: spec.id,
    index: run.tasks.size,
    spec,
    isShort: false,
    addedBy: added.by,
    priority: typeof spec.metadata["priority"] === "number" ? spec.metadata["priority"] : 0,
    requirement: run.requirements.of(spec),
    gates: gatesOf(spec, run.header.workspace),
    seq: 0,
    receipts: nothing2,
    result: null,
    failureKind: null,
    fleetSeq: 0,
    workerSeqs: nothing2,
    artifacts: nothing2,
    policy: run.alertPolicies.of(spec),
    alerts: nothing2,
    openDependencies: 0,
    version: 0,
    attempt: first.context.attempt,
    failures: first.context.failures,
    crashes: first.context.crashes,
    status: first.value,
    worker: null,
    incarnation: null,
    failedOn: null,
    enqueuedAt: added.at,
    leasedAt: null,
    endedAt: null,
    timeoutAt: null,
    timeoutMs: null,
    notBefore: null,
    notBeforeMs: null,
    restarts: 0,
    released: false,
    stale: false,
    process: null,
    permissions: null,
    route: null,
    inputTokens: 0,
    outputTokens: 0,
    toolCalls: 0,
    spentMs: 0,
    heard: null,
    pending: null,
    overBudget: null,
    cause: null,
    undecided: false,
    settled: false,
    escalated: false
  };
}
var nothing2 = [];
function lastSeqOf(task, worker) {
  return worker === null || worker === fleetReporter ? task.fleetSeq : seqOf(task.workerSeqs, worker);
}
function cleared(task, ...fields2) {
  return clear({}, task, ...fields2);
}
function clear(changes, task, ...fields2) {
  for (const field of fields2) if (task[field] !== null) changes[field] = null;
  return changes;
}
function satisfies(task) {
  return task.status === "completed" && !awaitsVerdict(task);
}
function awaitsVerdict(task) {
  const { status, result, undecided: undecided2, settled, spec } = task;
  return status === "completed" && result === "partial" && (undecided2 || spec.scorer?.kind === "manual") && !settled;
}
function openTasks(run) {
  return run.tasks.size - run.counts.completed - run.counts.failed - run.counts.cancelled;
}
function isEndedRun(status) {
  return status === "completed" || status === "failed" || status === "cancelled";
}
function isEndedTask(status) {
  return leaseLifecycle.hasTag(status, "ended");
}
function isWaiting(status) {
  return leaseLifecycle.hasTag(status, "waiting");
}
function isLeased(status) {
  return leaseLifecycle.hasTag(status, "leased");
}
function isWorking(status) {
  return leaseLifecycle.hasTag(status, "working");
}

// src/engine/fold.ts
var fleetStream = "fleet";
var rememberedPosts = 256;
function fold(state, runId2, entry) {
  if (runId2 === fleetStream) {
    state.fleetSeq = entry.seq;
    if (entry.record !== void 0) state.workers.set(entry.record.id, entry.record);
    return;
  }
  if (entry.created !== void 0) state.runs.set(runId2, createRunState(entry.created));
  const run = state.runs.get(runId2);
  if (run === void 0) return;
  run.seq = entry.seq;
  run.lastAt = entry.at;
  if (entry.posted !== void 0) rememberPost(run, entry.posted);
  if (entry.run !== void 0) {
    Object.assign(run, entry.run);
    updateTurn(state, run);
  }
  for (const added of entry.tasks ?? []) {
    if (run.tasks.has(added.spec.id)) continue;
    const task2 = createTaskState(run, added.spec, { by: entry.seq, at: entry.at });
    addTask(run, task2);
    if (isEnqueuedAtOnce(added)) task2.fleetSeq = 1;
    change(state, run, task2, entry, added.set);
  }
  for (const added of entry.tasks ?? []) countDependencies(run, added.spec.id);
  if (entry.task === void 0) return;
  const task = run.tasks.get(entry.task);
  if (task === void 0 || task.seq >= entry.seq) return;
  change(state, run, task, entry, entry.set);
}
function forget(state, run) {
  for (const task of run.tasks.values()) {
    if (isWorking(task.status)) hold(state, task.worker, -1);
    if (task.gates !== null && isLeased(task.status)) state.gates.release({ run: run.header.id, task: task.id }, task.gates);
  }
  state.working -= run.working;
  state.turns.delete(run.header.id);
  state.runs.delete(run.header.id);
}
function adopt(state, aside, run) {
  state.runs.set(run.header.id, run);
  state.working += aside.working;
  for (const [worker, held2] of aside.holdings) hold(state, worker, held2);
  for (const { id, gates, status, leasedAt } of run.tasks.values()) {
    if (gates === null || leasedAt === null) continue;
    state.gates.started(gates, leasedAt);
    if (isLeased(status)) state.gates.hold({ run: run.header.id, task: id }, gates);
  }
  updateTurn(state, run);
}
function restoreTask(state, run, task) {
  addTask(run, task);
  run.counts[task.status] += 1;
  run.counts.blocked -= 1;
  run.unsettled += unsettledAlerts(task.alerts);
  count(run.tally, task, 1);
  run.spend?.count(task, 1);
  if (task.worker !== null) run.workers.add(task.worker);
  if (isWorking(task.status)) holdSlot(state, run, task, 1);
  if (task.status === "enqueued") run.ready.push(task);
  updateTurn(state, run);
}
function countDependencies(run, taskId) {
  const task = run.tasks.get(taskId);
  if (task === void 0 || (task.spec.depends_on ?? []).length === 0) return;
  task.openDependencies = task.spec.depends_on.filter((id) => {
    const dependency = run.tasks.get(id);
    return dependency === void 0 || !satisfies(dependency);
  }).length;
}
function addTask(run, task) {
  run.tasks.set(task.id, task);
  run.counts.blocked += 1;
  for (const dependency of task.spec.depends_on ?? []) {
    const list2 = run.dependants.get(dependency);
    if (list2 === void 0) run.dependants.set(dependency, [task.id]);
    else list2.push(task.id);
  }
}
function change(state, run, task, entry, set) {
  const before = task.status;
  const satisfied = satisfies(task);
  const worked = isWorking(before);
  if (worked) holdSlot(state, run, task, -1);
  count(run.tally, task, -1);
  run.spend?.count(task, -1);
  task.seq = entry.seq;
  const previousAttempt = task.attempt;
  if (set !== void 0) Object.assign(task, set);
  if (task.attempt !== previousAttempt && task.artifacts.length > 0) task.artifacts = [];
  if (entry.receipt !== void 0) {
    task.receipts = [...task.receipts, entry.seq];
    task.result = entry.receipt.result;
    task.failureKind = entry.receipt.failure_kind ?? null;
  }
  count(run.tally, task, 1);
  run.spend?.count(task, 1);
  if (entry.alerts !== void 0) changeAlerts(run, task, entry.alerts);
  if (set?.worker != null) run.workers.add(set.worker);
  if (task.gates !== null) passGates(state, run, task, task.gates, isLeased(before));
  noteEvents(task, entry);
  if (isWorking(task.status)) holdSlot(state, run, task, 1);
  if (task.status !== before || set?.enqueuedAt !== void 0) {
    task.version += 1;
    run.counts[before] -= 1;
    run.counts[task.status] += 1;
    if (task.status === "enqueued") run.ready.push(task);
    if (isEndedTask(task.status) && !task.isShort) {
      task.spec = shortenSpec(task.spec, task.policy);
      task.isShort = true;
    }
  }
  if (satisfies(task) !== satisfied) {
    for (const id of run.dependants.get(task.id) ?? []) {
      const dependant = run.tasks.get(id);
      if (dependant !== void 0) dependant.openDependencies += satisfied ? 1 : -1;
    }
  }
  updateTurn(state, run);
}
function passGates(state, run, task, gates, wasLeased) {
  const isNow = isLeased(task.status);
  if (isNow === wasLeased) return;
  const holder = { run: run.header.id, task: task.id };
  if (!isNow) {
    state.gates.release(holder, gates);
    return;
  }
  state.gates.hold(holder, gates);
  state.gates.started(gates, task.leasedAt ?? run.lastAt);
}
function changeAlerts(run, task, changes) {
  run.unsettled -= unsettledAlerts(task.alerts);
  task.alerts = changedAlerts(task.alerts, changes);
  run.unsettled += unsettledAlerts(task.alerts);
}
function noteEvents(task, entry) {
  if (entry.events === void 0 || entry.worker === void 0 || entry.workerSeq === void 0) return;
  const last = entry.workerSeq + entry.events.length - 1;
  if (entry.worker === fleetReporter) task.fleetSeq = last;
  else task.workerSeqs = withSeq(task.workerSeqs, entry.worker, last);
  const live = entry.attempt === void 0 || entry.attempt === task.attempt;
  for (const event of entry.events)
    if (live && event.state === "artifact") task.artifacts = [...task.artifacts, artifactOf(event)];
}
function artifactOf(event) {
  const { state: _, ...artifact } = event;
  return artifact;
}
function holdSlot(state, run, task, by) {
  run.working += by;
  state.working += by;
  hold(state, task.worker, by);
}
function hold(state, worker, by) {
  if (worker === null) return;
  const held2 = (state.holdings.get(worker) ?? 0) + by;
  if (held2 > 0) state.holdings.set(worker, held2);
  else state.holdings.delete(worker);
}
function updateTurn(state, run) {
  const leasing = run.carried && run.opened && (run.status === "queued" || run.status === "running");
  const room = run.header.max_workers === void 0 || run.working < run.header.max_workers;
  if (leasing && room && run.counts.enqueued > 0) state.turns.add(run.header.id);
  else state.turns.delete(run.header.id);
}
function rememberPost(run, id) {
  run.posted.add(id);
  for (const oldest of run.posted) {
    if (run.posted.size <= rememberedPosts) break;
    run.posted.delete(oldest);
  }
}

// src/engine/cursor.ts
var shape = /^fev1_([0-9a-z]{1,40})_([0-9a-z]{1,12})_([0-9a-z]{1,12})$/;
function writeCursor(place) {
  return `fev1_${place.short}_${place.seq.toString(36)}_${place.index.toString(36)}`;
}
function readCursor(cursor, short2) {
  const found = shape.exec(cursor);
  if (found?.[1] !== short2) {
    throw new FleetError(
      "cursor_unavailable",
      "The cursor is not one of this run. Read again without a cursor to get the newest page.",
      {
        details: { cursor: cursor.slice(0, 96) }
      }
    );
  }
  return { short: short2, seq: Number.parseInt(found[2] ?? "", 36), index: Number.parseInt(found[3] ?? "", 36) };
}

// src/engine/project.ts
function project(run, entry, isWanted = everything) {
  const projection = new Projection(run, entry, isWanted);
  placeAll(projection);
  return projection.events;
}
function placesOf(entry) {
  const projection = new Projection(noRun, entry, noEvent);
  placeAll(projection);
  return projection.places;
}
var everything = () => true;
var noEvent = () => false;
var noRun = { id: "", short: "", name: "" };
var Projection = class {
  events = [];
  places = 0;
  run;
  entry;
  #isWanted;
  constructor(run, entry, isWanted) {
    this.run = run;
    this.entry = entry;
    this.#isWanted = isWanted;
  }
  /** Takes the next place; true where its event is wanted, and to be added. */
  takePlace(name) {
    this.places += 1;
    return this.#isWanted(name);
  }
  add({ event, payload, task, worker, attempt, workerSeq }) {
    const { run, entry } = this;
    this.events.push({
      cursor: writeCursor({ short: run.short, seq: entry.seq, index: this.places - 1 }),
      event,
      run_id: run.id,
      ...task !== void 0 && { task_id: task },
      ...worker !== void 0 && { worker_id: worker },
      ...attempt !== void 0 && { attempt },
      timestamp: instant(entry.at),
      ...workerSeq !== void 0 && { worker_seq: workerSeq },
      payload
      // The seed pairs the name with its payload.
    });
  }
};
function placeAll(into) {
  const { run, entry } = into;
  if (entry.created !== void 0 && into.takePlace("run.created"))
    into.add({ event: "run.created", payload: created(run, entry, entry.created) });
  if (entry.kind === "run.sealed" && into.takePlace("run.sealed")) into.add({ event: "run.sealed", payload: {} });
  const status = entry.run?.status;
  if (status !== void 0 && into.takePlace("run.status_changed")) into.add({ event: "run.status_changed", payload: { status } });
  for (const added of entry.tasks ?? []) if (isEnqueuedAtOnce(added)) placeQueued(into, added.spec.id);
  if (entry.task !== void 0) placeTask(into, entry.task);
  if (entry.delivery !== void 0) placeDelivery(into, entry.delivery);
  const { task, attempt } = entry;
  for (const raised of entry.raised ?? [])
    if (into.takePlace("alert.raised")) into.add({ event: "alert.raised", payload: { class: raised }, task, attempt });
}
function placeDelivery(into, { id, reason = "", tries = 0, sent, ...end }) {
  const { task, attempt } = into.entry;
  const about = { ...end, alert_id: id };
  const event = sent ? "alert.sent" : "alert.given_up";
  if (!into.takePlace(event)) return;
  if (event === "alert.given_up") into.add({ event, payload: { ...about, reason, tries }, task, attempt });
  else into.add({ event, payload: { ...about, ...attempt !== void 0 && { attempt } }, task, attempt });
}
function created({ name }, { taskCount }, { workflow }) {
  return { name, tasks: taskCount ?? 0, ...workflow !== void 0 && { workflow } };
}
function placeQueued(into, task) {
  if (into.takePlace("task.enqueued")) into.add({ event: "task.enqueued", payload: { attempts: 0 }, task });
  placeReported(into, { state: "queued" }, { task, worker: fleetReporter, workerSeq: 1 });
}
function placeTask(into, task) {
  const { set, attempt, events, worker, workerSeq = 1, receipt } = into.entry;
  const status = set?.status;
  if (status === "enqueued" && attempt === void 0) placeEnqueued(into, task);
  if (set?.leasedAt != null && into.takePlace("task.leased"))
    into.add({ event: "task.leased", payload: leasePayload(events), task, attempt, worker: set.worker ?? void 0 });
  if (events !== void 0) {
    for (let at = 0; at < events.length; at += 1) {
      const event = events[at];
      if (event !== void 0) placeReported(into, event, { task, attempt, worker, workerSeq: workerSeq + at });
    }
  }
  if (receipt !== void 0 && into.takePlace("task.receipt_recorded")) {
    const { result, failure_kind } = receipt;
    const payload = { result, ...failure_kind !== void 0 && { failure_kind }, receipt };
    into.add({ event: "task.receipt_recorded", payload, task, attempt });
  }
  const isTerminal = status === "completed" || status === "failed" || status === "cancelled";
  if (isTerminal && into.takePlace("task.terminal"))
    into.add({ event: "task.terminal", payload: { status, ...set?.cause && { cause: set.cause } }, task, attempt });
  if (status === "enqueued" && attempt !== void 0) placeEnqueued(into, task);
}
function placeEnqueued(into, task) {
  const attempts = into.entry.set?.attempt ?? 0;
  if (into.takePlace("task.enqueued")) into.add({ event: "task.enqueued", payload: { attempts }, task });
}
function leasePayload(events) {
  const leased2 = events?.find((event) => event.state === "leased");
  return leased2?.state === "leased" && leased2.lease_expires_at !== void 0 ? { lease_expires_at: leased2.lease_expires_at } : {};
}
var workerEvents = {
  queued: "worker.queued",
  leased: "worker.leased",
  starting: "worker.starting",
  running: "worker.running",
  model_wait: "worker.model_wait",
  running_tool: "worker.running_tool",
  workflow_event: "worker.workflow_event",
  heartbeat: "worker.heartbeat",
  artifact: "worker.artifact",
  completed: "worker.completed",
  failed: "worker.failed",
  cancelled: "worker.cancelled",
  interrupted: "worker.interrupted",
  stale: "worker.stale",
  restarted: "worker.restarted",
  escalated: "worker.escalated"
};
function placeReported(into, reported2, about) {
  const event = workerEvents[reported2.state];
  if (!into.takePlace(event)) return;
  const { state: _, ...payload } = reported2;
  into.add({ event, payload, ...about });
}

// src/engine/live-cursor.ts
function createLiveCursors() {
  const lastDurable = /* @__PURE__ */ new WeakMap();
  return {
    note: (run, entry) => void lastDurable.set(run, entry),
    of(run) {
      const last = lastDurable.get(run);
      const events = last === void 0 ? 0 : placesOf(last);
      return writeCursor({ short: run.header.short, seq: last?.seq ?? run.seq, index: Math.max(0, events - 1) });
    }
  };
}
function projected(run) {
  return { id: run.header.id, short: run.header.short, name: run.header.name };
}

// src/engine/aftermath.ts
function createAftermath(core, parts2) {
  const { state, deadlines } = core;
  const { announcer, cursors, workers, host: host2, effects, alerts, watch, budgets, stalls, snapshots, memory } = parts2;
  const concerned = /* @__PURE__ */ new Set();
  function ofRun(run, entry) {
    cursors.note(run, entry);
    run.durableSeq = entry.seq;
    announcer.hear(projected(run), entry);
    if (entry.alerts !== void 0) alerts.follow(run, entry);
    effects.perform(run, entry);
    for (const added of entry.tasks ?? []) armWait(run, added.spec.id);
    if (entry.task !== void 0) ofTask(run, entry, entry.task);
  }
  function ofTask(run, entry, id) {
    const task = run.tasks.get(id);
    if (task === void 0) return;
    if (entry.set?.timeoutAt != null || entry.set?.notBefore != null) watch.arm(run, task);
    if (entry.set?.overBudget != null) budgets.arm(run, task);
    const worker = task.worker === null ? void 0 : workers.get(task.worker);
    if (worker === void 0 || entry.set?.status === void 0) return;
    workers.settle(worker);
    if (worker.status === "retired" && worker.channel !== void 0) void host2.retire(worker);
  }
  function armWait(run, taskId) {
    const task = run.tasks.get(taskId);
    if (task?.status === "backoff") watch.arm(run, task);
  }
  return {
    durable(entries) {
      if (entries.length > 0) parts2.storeWatch.working();
      for (const { run: id, entry } of entries) {
        const run = state.runs.get(id);
        if (run !== void 0 || id === fleetStream) concerned.add(id);
        if (run !== void 0) ofRun(run, entry);
      }
    },
    followed() {
      for (const id of concerned.has(fleetStream) ? state.runs.keys() : concerned) {
        const run = state.runs.get(id);
        if (run === void 0) continue;
        stalls.look(run);
        budgets.armRun(run);
        snapshots.consider(run);
        memory.letGo(id);
      }
      concerned.clear();
      deadlines.refresh();
    }
  };
}

// src/security/redact.ts
var cover = "[redacted]";
var secretName = "(?:api[-_]?key|access[-_]?key|private[-_]?key|client[-_]?secret|auth[-_]?token|secret|token|password|passwd|authorization)";
var shapes = [
  [/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${cover}`],
  [
    new RegExp(`((?:["']?)\\b[A-Za-z0-9_-]*${secretName}["']?\\s*[:=]\\s*)(?:"[^"]*"|'[^']*'|(?!\\[redacted\\])[^\\s,;]+)`, "gi"),
    `$1${cover}`
  ],
  [/\b(?:sk|pk)[-_][A-Za-z0-9_-]{8,}/g, cover],
  [/\bgh[opsur]_[A-Za-z0-9]{8,}/g, cover],
  [/\bxox[abprs]-[A-Za-z0-9-]{8,}/g, cover],
  [/\bAKIA[A-Z0-9]{12,}/g, cover],
  [/(:\/\/)[^/\s:@]+:[^/\s@]+@/g, `$1${cover}@`]
];
function redactShapes(text3) {
  return shapes.reduce((redacted, [pattern2, replacement]) => redacted.replace(pattern2, replacement), text3);
}

// src/engine/alert-rules.ts
var rules = {
  // Until an attempt reports again, or the task is restarted (RU7).
  stale: { afterAttempts: true, afterMinutesStale: true, lasts: (_, task) => task.stale && !isOver(task) },
  restart_exhausted: { afterAttempts: true, afterMinutesStale: false, lasts: (_, task) => task.status === "failed" },
  // Until a person settled the verdict, or the work is done anew.
  needs_human: {
    afterAttempts: false,
    afterMinutesStale: false,
    lasts: (_, task) => task.status === "completed" && task.result === "partial" && !task.settled
  },
  budget_exceeded: {
    afterAttempts: true,
    afterMinutesStale: false,
    // What a run has spent stays spent.
    lasts: ({ attempt }, task, run) => run.overBudget === null ? task.attempt === attempt && (isLeased(task.status) || task.status === "failed") : run.status !== "completed"
  },
  // Until a later attempt's check could be made, or the task is restarted, which forgets its failures.
  verifier_failed: { afterAttempts: true, afterMinutesStale: false, lasts: (_, task) => task.failures > 0 && !isOver(task) },
  run_completed: { afterAttempts: false, afterMinutesStale: false, lasts: (_, _task, run) => run.status === "completed" }
};
function isOver({ status }) {
  return status === "completed" || status === "cancelled";
}
function thresholdsOf(name) {
  return rules[name];
}
function lasts(alert, task, run) {
  return rules[alert.class].lasts(alert, task, run);
}
var longestHoldMs = 100 * 366 * 24 * 60 * 60 * 1e3;
function nextAlerts(run, task, raised, at) {
  const { policy } = task;
  if (policy === null) return [];
  const standing2 = task.alerts.flatMap((alert) => standingChange(alert, run, task, policy, at));
  const gone = new Set(standing2.flatMap(({ id, set }) => set === null ? [id] : []));
  const before = task.alerts.filter(({ id }) => !gone.has(id));
  return [...standing2, ...raisedChanges(before, task, policy, raised, at)];
}
function standingChange(alert, run, task, policy, { resolves }) {
  const { id, status, action } = alert;
  if (status === "owed") return [];
  if (lasts(alert, task, run)) {
    if (status !== "held" || alert.notBefore !== null || isHeldByAttempts(alert.class, task, policy)) return [];
    return [{ id, set: { status: "owed", notBefore: null, notBeforeMs: null } }];
  }
  return [{ id, set: status !== "held" && action === "trigger" && resolves(alert.channel) ? resolution : null }];
}
var resolution = {
  status: "owed",
  action: "resolve",
  tries: 0,
  error: null,
  notBefore: null,
  notBeforeMs: null
};
function afterWait(alert, task) {
  const isHeld = task.policy !== null && isHeldByAttempts(alert.class, task, task.policy);
  return { ...!isHeld && { status: "owed" }, notBefore: null, notBeforeMs: null };
}
function isHeldByAttempts(name, task, { after_attempts = 0 }) {
  return rules[name].afterAttempts && task.failures < after_attempts;
}
function raisedChanges(before, task, policy, raised, at) {
  const changes = [];
  let made2 = 0;
  for (const one of raised.filter((candidate) => covers(policy, candidate.class))) {
    for (const channel2 of one.channels ?? policy.channels.keys()) {
      const same2 = before.filter((alert) => alert.class === one.class && alert.channel === channel2);
      if (same2.some(({ attempt }) => attempt === one.attempt)) continue;
      const older = same2.filter(({ status }) => status !== "owed");
      changes.push(...older.map(({ id }) => ({ id, set: null })));
      const record = newAlert(at.newId(made2), one, channel2, task, policy, at.now);
      changes.push({ id: record.id, set: record });
      made2 += 1;
    }
  }
  return changes;
}
function newAlert(id, { class: name, attempt, worker, reason }, channel2, task, policy, now) {
  const minutes = rules[name].afterMinutesStale ? policy.after_minutes_stale ?? 0 : 0;
  const waitMs = Math.min(minutes * 6e4, longestHoldMs);
  const isHeldBack = waitMs > 0 || isHeldByAttempts(name, task, policy);
  return {
    id,
    class: name,
    attempt,
    channel: channel2,
    status: isHeldBack ? "held" : "owed",
    action: "trigger",
    worker,
    reason,
    raisedAt: now,
    tries: 0,
    error: null,
    ...moment(now, waitMs)
  };
}

// src/engine/channel-kind.ts
function channelKind({ policy }, channel2) {
  const found = policy?.channels[channel2];
  if (found === void 0) throw new Error(`The policy has no channel ${channel2}.`);
  return found.kind;
}

// src/lifecycles/run.ts
import { assign as assign2, setup as setup2 } from "xstate";
var ends = [
  { guard: "anyFailed", target: "failed" },
  { guard: "anyCancelled", target: "cancelled" },
  { target: "completed" }
];
var makeRunMachine = () => setup2({
  types: {},
  guards: {
    anyFailed: ({ event }) => event.type === "end" && event.result === "failed",
    anyCancelled: ({ event }) => event.type === "end" && event.result === "cancelled",
    pausedFromPending: ({ context }) => context.pausedFrom === "pending",
    pausedFromQueued: ({ context }) => context.pausedFrom === "queued"
  },
  actions: {
    remember: assign2({ pausedFrom: (_, params) => params.status }),
    forget: assign2({ pausedFrom: null })
  }
}).createMachine({
  id: "run",
  context: { pausedFrom: null },
  initial: "pending",
  states: {
    pending: {
      on: {
        start: "queued",
        pause: { target: "paused", actions: { type: "remember", params: { status: "pending" } } },
        end: [...ends],
        cancel: "cancelled"
      }
    },
    queued: {
      on: {
        lease: "running",
        pause: { target: "paused", actions: { type: "remember", params: { status: "queued" } } },
        end: [...ends],
        cancel: "cancelled"
      }
    },
    running: {
      on: {
        pause: { target: "paused", actions: { type: "remember", params: { status: "running" } } },
        end: [...ends],
        cancel: "cancelled"
      }
    },
    paused: {
      on: {
        resume: [
          { guard: "pausedFromPending", target: "pending", actions: "forget" },
          { guard: "pausedFromQueued", target: "queued", actions: "forget" },
          { target: "running", actions: "forget" }
        ],
        end: [
          { guard: "anyFailed", target: "failed", actions: "forget" },
          { guard: "anyCancelled", target: "cancelled", actions: "forget" },
          { target: "completed", actions: "forget" }
        ],
        cancel: { target: "cancelled", actions: "forget" }
      }
    },
    completed: { tags: "ended", on: { restart: "running", overturn: "failed" } },
    failed: { tags: "ended", on: { restart: "running" } },
    cancelled: { tags: "ended", on: { restart: "running", overturn: "failed" } }
  }
});
var runLifecycle = createLifecycle(makeRunMachine);

// src/engine/decide.ts
function leaseStep(task, ...events) {
  let position = { value: task.status, context: { attempt: task.attempt, failures: task.failures, crashes: task.crashes } };
  for (const event of events) {
    const next = leaseLifecycle.step(position, event);
    if (next === void 0) throw refusal("task", task.id, position.value, event.type);
    position = next;
  }
  const { attempt, failures: failures2, crashes } = position.context;
  return { status: position.value, attempt, failures: failures2, crashes };
}
function runStep(run, event, now) {
  const next = runLifecycle.step({ value: run.status, context: { pausedFrom: run.pausedFrom } }, event);
  if (next === void 0) throw refusal("run", run.header.id, run.status, event.type);
  const ended2 = runLifecycle.hasTag(next.value, "ended");
  return { status: next.value, pausedFrom: next.context.pausedFrom, updatedAt: now, completedAt: ended2 ? now : null };
}
function reported(task, worker, events) {
  if (events.length === 0) return {};
  return { worker: worker ?? fleetReporter, workerSeq: lastSeqOf(task, worker) + 1, events };
}
function refuse2(code2, message, details) {
  return new FleetError(code2, message, details === void 0 ? {} : { details });
}
function refusal(noun, id, status, event) {
  return refuse2("refused", `The ${noun} ${id} is ${status}, which does not accept \u201C${event}\u201D. Nothing was changed.`, {
    id,
    status,
    event
  });
}

// src/engine/retry.ts
var defaultRetryPolicy = {
  max_attempts: 3,
  initial_backoff_seconds: 5,
  max_backoff_seconds: 300,
  backoff_multiplier: 2
};
function decideRetry(policy, failure, failures2, jitter) {
  const { max_attempts } = policy ?? defaultRetryPolicy;
  const wanted = !failure.final && retries(policy, failure.cause);
  if (!wanted) return { retry: false, delayMs: 0, exhausted: false };
  if (failures2 >= Math.max(1, max_attempts)) return { retry: false, delayMs: 0, exhausted: true };
  const full = backoffMs(policy ?? defaultRetryPolicy, failures2);
  return { retry: true, delayMs: jitter === void 0 ? full : Math.round(full * (1 - jitter / 2)), exhausted: false };
}
function backoffMs(policy, failures2) {
  const seconds = policy.initial_backoff_seconds * policy.backoff_multiplier ** (failures2 - 1);
  const bounded3 = policy.initial_backoff_seconds === 0 ? 0 : Math.min(policy.max_backoff_seconds, seconds);
  return Math.min(bounded3 * 1e3, Number.MAX_SAFE_INTEGER);
}
function retries(policy, cause) {
  const exact = policy?.retry_on;
  return exact === void 0 ? cause !== "verifier" : exact.includes(cause);
}

// src/engine/alerting.ts
function* alertsAfter(context, run, entry) {
  if (entry.alerts !== void 0) return;
  if (entry.task !== void 0) {
    const task = run.tasks.get(entry.task);
    if (task !== void 0) yield* change2(context, run, task, raisedBy(entry, entry.raised ?? [], task));
  } else if (entry.run?.status !== void 0 || entry.raised !== void 0) {
    const asking = new Map((entry.raised ?? []).flatMap((name) => carriers(run, name, entry)));
    for (const task of run.tasks.values())
      if (task.alerts.length > 0 || asking.has(task)) yield* change2(context, run, task, asking.get(task) ?? []);
  }
}
function* heldLongEnough(context, run, task, alert) {
  const set = lasts(alert, task, run) ? afterWait(alert, task) : null;
  yield {
    on: run.header.id,
    kind: "alert.ordered",
    run: { updatedAt: context.now },
    task: task.id,
    ...attemptOf(alert),
    alerts: [{ id: alert.id, set }],
    ...set?.status === "owed" && { effects: ["alert.send"] }
  };
}
function* alertDelivered(context, run, task, alert) {
  const kind = channelKind(task, alert.channel);
  const isTrigger = alert.action === "trigger";
  const isOver3 = !lasts(alert, task, run);
  const { resolves } = context.alertSinks[kind];
  const kept = { status: "sent", tries: 0, error: null, notBefore: null, notBeforeMs: null };
  const set = !isTrigger || isOver3 && !resolves ? null : isOver3 ? resolution : kept;
  yield {
    on: run.header.id,
    kind: "alert.sent",
    // The row of the run follows: it tells whether anything is unsettled.
    run: { updatedAt: context.now },
    task: task.id,
    ...attemptOf(alert),
    ...isTrigger && {
      set: task.escalated ? {} : { escalated: true },
      ...reported(task, null, [{ state: "escalated", channel: kind, alert_id: alert.id }])
    },
    alerts: [{ id: alert.id, set }],
    delivery: { id: alert.id, class: alert.class, channel: kind, action: alert.action, sent: true },
    ...set === resolution && { effects: ["alert.send"] }
  };
}
function* alertFailed(context, run, task, alert, failure) {
  const { alertTries, alertBackoffMs, jitter } = context.defaults;
  const tries = alert.tries + 1;
  const reason = oneLine(failure.reason);
  const about = { on: run.header.id, run: { updatedAt: context.now }, task: task.id, ...attemptOf(alert) };
  if (failure.final === true || tries >= alertTries) {
    const kind = channelKind(task, alert.channel);
    const set = lasts(alert, task, run) ? { ...settledFields, status: "given_up", tries, error: reason } : null;
    yield {
      ...about,
      kind: "alert.given_up",
      alerts: [{ id: alert.id, set }],
      delivery: { id: alert.id, class: alert.class, channel: kind, action: alert.action, sent: false, reason, tries }
    };
    return;
  }
  const backoff2 = { initial_backoff_seconds: alertBackoffMs.first / 1e3, max_backoff_seconds: alertBackoffMs.most / 1e3 };
  const full = backoffMs({ ...backoff2, backoff_multiplier: 2 }, tries);
  const waitMs = Math.max(
    jitter ? Math.round(full * (1 - context.draw() / 2)) : full,
    Math.min(failure.retryAfterMs ?? 0, alertBackoffMs.most)
  );
  yield {
    ...about,
    kind: "alert.tried",
    alerts: [{ id: alert.id, set: { tries, error: reason, ...moment(context.now, waitMs) } }],
    effects: ["alert.send"]
  };
}
var settledFields = { notBefore: null, notBeforeMs: null };
var reasonLimit = 240;
function* change2(context, run, task, raised) {
  const { header } = run;
  if (raised.length === 0 && task.alerts.length === 0) return;
  const seq = (run.seq + 1).toString(36);
  const changes = nextAlerts(run, task, raised, {
    now: context.now,
    resolves: (channel2) => context.alertSinks[channelKind(task, channel2)].resolves,
    newId: (n) => `alert_${header.short}_${seq}_${n}`
  });
  if (changes.length === 0) return;
  const waits = changes.some(({ set }) => set?.status === "owed" || set?.status === "held" && set.notBefore != null);
  yield {
    on: header.id,
    kind: "alert.ordered",
    run: { updatedAt: context.now },
    task: task.id,
    ...task.attempt > 0 && { attempt: task.attempt },
    alerts: changes,
    ...waits && { effects: ["alert.send"] }
  };
}
function raisedBy(entry, classes, task) {
  const worker = entry.worker ?? task.worker;
  return classes.map((name) => ({
    class: name,
    attempt: entry.attempt ?? task.attempt,
    worker: worker === "fleet" ? task.worker : worker,
    reason: reasonOf(entry)
  }));
}
function carriers(run, name, entry) {
  const told3 = /* @__PURE__ */ new Set();
  const found = [];
  for (const task of run.tasks.values()) {
    if (task.policy === null || !covers(task.policy, name)) continue;
    const channels = [...task.policy.channels.entries()].flatMap(([index, channel2]) => {
      const text3 = JSON.stringify(channel2);
      if (told3.has(text3)) return [];
      told3.add(text3);
      return [index];
    });
    const { completed, failed: failed2, cancelled } = run.counts;
    const reason = reasonOf(entry) ?? `${completed} completed, ${failed2} failed, ${cancelled} cancelled`;
    found.push([task, [{ class: name, attempt: task.attempt, worker: null, reason, channels }]]);
  }
  return found;
}
function reasonOf({ receipt, set, run }) {
  const reason = set?.overBudget?.reason ?? run?.overBudget?.reason ?? receipt?.evidence;
  return reason === void 0 ? null : oneLine(reason);
}
function attemptOf({ attempt }) {
  return attempt > 0 ? { attempt } : {};
}
function oneLine(text3) {
  const line2 = text3.split("\n").map((part) => part.replaceAll(/[\p{Cc}\u2028\u2029]/gu, " ").trim()).find((part) => part !== "");
  const covered = redactShapes(line2 ?? "");
  return covered.length <= reasonLimit ? covered : `${covered.slice(0, reasonLimit - 1)}\u2026`;
}

// src/engine/sending-lanes.ts
function createSendingLanes(width) {
  const lanes = /* @__PURE__ */ new Map();
  let listeners = [];
  function pump2(name, lane) {
    while (lane.running < width) {
      const act = lane.waiting.shift();
      if (act === void 0) break;
      lane.running += 1;
      void act().then(() => {
        lane.running -= 1;
        pump2(name, lane);
      });
    }
    if (lane.running > 0) return;
    lanes.delete(name);
    if (lanes.size > 0) return;
    for (const listener of listeners) listener();
    listeners = [];
  }
  return {
    run(name, act) {
      const lane = lanes.get(name) ?? { running: 0, waiting: [] };
      lanes.set(name, lane);
      lane.waiting.push(act);
      pump2(name, lane);
    },
    idle: () => lanes.size === 0 ? Promise.resolve() : new Promise((resolve4) => listeners.push(resolve4))
  };
}

// src/engine/alert-outbox.ts
var lanesWidth = 4;
function createAlertOutbox(core) {
  const lanes = createSendingLanes(lanesWidth);
  const busy = /* @__PURE__ */ new Map();
  const waits = /* @__PURE__ */ new Map();
  const ended2 = new AbortController();
  let closing = false;
  function consider(run, task, alerts) {
    if (ended2.signal.aborted) return;
    for (const alert of alerts) {
      const key = keyOf(run, alert);
      waits.get(key)?.();
      waits.delete(key);
      if (alert.status === "held" && alert.notBefore !== null) wait(key, alert, () => letGo(run, task, alert));
      if (alert.status === "owed" && !busy.has(key)) wait(key, alert, () => begin(key, run, task, alert));
    }
  }
  function wait(key, { notBefore, notBeforeMs }, act) {
    const ms = notBefore === null ? 0 : Math.min(notBefore - core.clock.now(), notBeforeMs ?? 0);
    if (ms <= 0) act();
    else if (!closing) {
      const disarm = core.deadlines.after(ms, () => {
        waits.delete(key);
        act();
      });
      waits.set(key, disarm);
    }
  }
  function letGo(run, task, { id, notBefore }) {
    core.turns.report((context) => {
      const found = find(run.header.id, task.id, id);
      const isStill = found?.alert.status === "held" && found.alert.notBefore === notBefore;
      return isStill ? heldLongEnough(context, found.run, found.task, found.alert) : nothing();
    });
  }
  function begin(key, run, task, alert) {
    const channel2 = task.policy?.channels[alert.channel];
    if (channel2 === void 0) return;
    busy.set(key, alert);
    lanes.run(JSON.stringify(channel2), async () => {
      const found = ended2.signal.aborted ? void 0 : stillOwed(run, task, alert);
      if (found === void 0) {
        busy.delete(key);
        return;
      }
      const outcome = await deliver(alertOf(found), channel2);
      if (outcome === void 0) return;
      core.turns.report((context) => {
        const now = stillOwed(run, task, alert);
        if (now === void 0) {
          if (busy.get(key) === alert) busy.delete(key);
          return nothing();
        }
        if (outcome.delivered) return alertDelivered(context, now.run, now.task, now.alert);
        return alertFailed(context, now.run, now.task, now.alert, outcome);
      });
    });
  }
  async function deliver(alert, channel2) {
    const { signal } = ended2;
    const sink = core.alertSinks[channel2.kind];
    let giveUp = () => void 0;
    const over = new Promise((resolve4) => giveUp = () => resolve4(void 0));
    signal.addEventListener("abort", giveUp);
    try {
      return await Promise.race([sink.deliver(alert, channel2, { signal }), over]);
    } catch (error) {
      return { delivered: false, reason: error instanceof Error ? error.message : String(error) };
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }
  function stillOwed(run, task, { id, action }) {
    const found = find(run.header.id, task.id, id);
    return found?.alert.status === "owed" && found.alert.action === action ? found : void 0;
  }
  function find(runId2, taskId, id) {
    const run = core.state.runs.get(runId2);
    const task = run?.tasks.get(taskId);
    const alert = task?.alerts.find((one) => one.id === id);
    return run === void 0 || task === void 0 || alert === void 0 ? void 0 : { run, task, alert };
  }
  return {
    follow(run, entry) {
      if (entry.kind !== "alert.ordered") for (const { id } of entry.alerts ?? []) busy.delete(keyOf(run, { id }));
    },
    perform(run, { task: id = "", alerts = [] }) {
      const task = run.tasks.get(id);
      const named2 = new Set(alerts.map((change3) => change3.id));
      if (task !== void 0)
        consider(
          run,
          task,
          task.alerts.filter((alert) => named2.has(alert.id))
        );
    },
    recover(run) {
      if (run.unsettled === 0) return;
      for (const task of run.tasks.values()) consider(run, task, task.alerts);
    },
    async close({ graceMs, hurry }) {
      closing = true;
      for (const disarm of waits.values()) disarm();
      waits.clear();
      const over = new AbortController();
      const patience = core.clock.sleep(graceMs, { signal: AbortSignal.any([over.signal, hurry]) });
      await Promise.race([lanes.idle(), patience]);
      over.abort();
      ended2.abort();
      await lanes.idle();
    }
  };
}
function keyOf(run, { id }) {
  return `${run.header.id}/${id}`;
}
function alertOf({ run, task, alert }) {
  const isTrigger = alert.action === "trigger";
  return {
    id: isTrigger ? alert.id : `${alert.id}_resolve`,
    action: alert.action,
    class: alert.class,
    incident: `${run.header.short}/${task.id}/${alert.class}`,
    run: { id: run.header.id, name: run.header.name },
    task: { id: task.id, name: task.spec.name },
    attempt: alert.attempt,
    ...alert.worker !== null && { worker: alert.worker },
    ...alert.reason !== null && { reason: alert.reason },
    raisedAt: alert.raisedAt
  };
}

// src/engine/announcer.ts
var toldAtOnce = 2e3;
function createAnnouncer(clock, ports) {
  const creating = /* @__PURE__ */ new Map();
  const waiting = [];
  let isTelling = false;
  let told3 = Promise.resolve();
  function tell(run, entry) {
    if (!ports.hasListeners()) return;
    for (const event of project(run, entry, ports.isListenedTo)) ports.announce(event);
  }
  function tellAll(run, entries) {
    if (!isTelling && weightOf(entries) <= toldAtOnce) {
      for (const entry of entries) tell(run, entry);
      return;
    }
    waiting.push({ run, entries });
    if (isTelling) return;
    isTelling = true;
    told3 = inSlices(tellingWaiting(), clock);
  }
  function* tellingWaiting() {
    try {
      for (let next = waiting.shift(); next !== void 0; next = waiting.shift()) {
        for (const entry of next.entries) {
          tell(next.run, entry);
          yield;
        }
      }
    } finally {
      isTelling = false;
    }
  }
  return {
    hear(run, entry) {
      if (entry.created !== void 0) creating.set(run.id, []);
      const held2 = creating.get(run.id);
      if (held2 === void 0) return tellAll(run, [entry]);
      held2.push(entry);
      if (entry.run?.opened !== true) return void 0;
      creating.delete(run.id);
      return tellAll(run, held2);
    },
    forget: (run) => void creating.delete(run),
    async idle() {
      while (isTelling) await told3;
    }
  };
}
function weightOf(entries) {
  return entries.reduce((sum, { tasks }) => sum + Math.max(1, tasks?.length ?? 0), 0);
}

// src/engine/applied-profile.ts
var told = ["role", "loadout", "model_class", "model", "tool_profile", "trust_level"];
function appliedProfile({ worker }) {
  if (worker === void 0) return void 0;
  const sources2 = sourcesOf(worker);
  if (Object.keys(sources2).length === 0) return void 0;
  const values = told.flatMap((field) => worker[field] === void 0 ? [] : [[field, worker[field]]]);
  return { ...profileOf(worker), ...Object.fromEntries(values), sources: sources2 };
}
function withProfile(permissions2, { worker }) {
  if (worker === void 0 || worker.agent_profile === void 0 && worker.tools.length === 0) return permissions2;
  const { source, ...rest } = permissions2;
  return {
    ...rest,
    ...worker.tools.length > 0 && { tool_scope: "explicit", tools: worker.tools },
    ...profileOf(worker),
    source
  };
}
function resolvedRoute({ worker }, report) {
  const wire_model_id = report?.wire_model_id ?? worker?.model;
  if (report === null || wire_model_id === void 0) return void 0;
  const { role, loadout, model_class, model } = worker ?? {};
  const sources2 = worker === void 0 ? {} : sourcesOf(worker);
  const { provider_id, provider_exact_id, provider_kind, canonical_model, protocol, model_route, reasoning_effort } = report;
  const route = {
    ...{ provider_id, provider_exact_id, provider_kind, canonical_model, wire_model_id, protocol },
    ...{ role, loadout, model_class, model_route, reasoning_effort },
    role_source: sources2["role"],
    loadout_source: sources2["loadout"],
    model_class_source: sources2["model_class"],
    // A worker may say which wire id stands for the model that was asked for; where none was asked for, it chose.
    model_source: model === void 0 ? "worker" : sources2["model"],
    source: "worker"
  };
  const known3 = Object.entries(route).filter(([, value]) => value !== void 0);
  return Object.fromEntries(known3);
}
function profileOf({ agent_profile, resolution: resolution2 }) {
  return {
    ...agent_profile !== void 0 && { profile_id: agent_profile },
    ...resolution2?.profile_origin !== void 0 && { profile_origin: resolution2.profile_origin }
  };
}
function sourcesOf({ resolution: resolution2, ...own }) {
  if (resolution2 !== void 0) return resolution2.sources;
  const fields2 = [...told, "tools", "capabilities", "instructions"];
  const given = fields2.filter((field) => own[field] !== void 0 && own[field].length > 0);
  return Object.fromEntries(given.map((field) => [field, `task.${field}`]));
}

// src/engine/evidence.ts
var evidenceLimit = 4096;
var ellipsis = "\u2026";
var bytesPerUnit = 3;
function boundedEvidence(text3) {
  if (text3.length * bytesPerUnit <= evidenceLimit) return text3;
  const { read: read2 } = new TextEncoder().encodeInto(text3, new Uint8Array(evidenceLimit));
  if (read2 === text3.length) return text3;
  const room = new TextEncoder().encodeInto(text3, new Uint8Array(evidenceLimit - new TextEncoder().encode(ellipsis).length));
  return `${text3.slice(0, room.read)}${ellipsis}`;
}
async function keepEvidence(blobs, run, text3) {
  const bytes = new TextEncoder().encode(text3);
  if (bytes.length <= evidenceLimit) return [];
  try {
    const { sha256: sha2562, size } = await blobs.put(run, bytes);
    return [{ kind: "evidence", path: "evidence.txt", checksum: `sha256:${sha2562}`, mime_type: "text/plain", size_bytes: size }];
  } catch {
    return [];
  }
}

// src/engine/receipt.ts
function receiptOf(run, task, facts) {
  const live = isLeased(task.status);
  const seconds = spentMs(task, facts.until ?? facts.at) / 1e3;
  return {
    run_id: run.header.id,
    task_id: task.id,
    worker_id: (live ? task.worker : null) ?? "fleet",
    ...live && { attempt: task.attempt },
    ...facts.terminalSeq !== void 0 && { terminal_seq: facts.terminalSeq },
    completed_at: instant(facts.at),
    result: facts.result,
    ...facts.failureKind !== void 0 && { failure_kind: facts.failureKind },
    artifacts: [...live ? task.artifacts : [], ...facts.artifacts ?? []],
    ...facts.score !== void 0 && { score: facts.score },
    ...task.worker !== null && facts.hadWorker !== false && heldTo(task),
    ...task.inputTokens + task.outputTokens > 0 && {
      usage: { input_tokens: task.inputTokens, output_tokens: task.outputTokens }
    },
    spent: { tokens: task.inputTokens + task.outputTokens, tool_calls: task.toolCalls, seconds },
    ...facts.output !== void 0 && facts.output !== null && { output: facts.output },
    ...facts.evidence !== void 0 && facts.evidence !== "" && { evidence: boundedEvidence(facts.evidence) }
  };
}
function heldTo(task) {
  const { spec, route } = task;
  const permissions2 = task.permissions ?? usualTerms.permissions;
  if (spec.worker === void 0 && route === null) return { effective_permissions: permissions2 };
  const resolved_route = resolvedRoute(spec, route);
  const profile = appliedProfile(spec);
  return {
    ...resolved_route !== void 0 && { resolved_route },
    effective_permissions: withProfile(permissions2, spec),
    ...profile !== void 0 && { profile }
  };
}
function spentMs(task, now) {
  return task.spentMs + (isLeased(task.status) && task.leasedAt !== null ? Math.max(0, now - task.leasedAt) : 0);
}
function missingArtifacts(task, more) {
  const { expected_artifacts: expected2 } = task.spec;
  if (expected2.length === 0) return [];
  const had = [...task.artifacts, ...more].map((artifact) => artifact.kind);
  return expected2.filter((kind) => {
    const at = had.indexOf(kind);
    if (at < 0) return true;
    had.splice(at, 1);
    return false;
  });
}

// src/engine/budget.ts
var limits = {
  max_tokens: { unit: "tokens", spent: ({ tokens }) => tokens },
  max_tool_calls: { unit: "tool calls", spent: ({ toolCalls }) => toolCalls },
  max_seconds: { unit: "seconds", spent: ({ ms }) => ms / 1e3 }
};
var names2 = Object.keys(limits);
function crossing(whose3, budget, spend2) {
  for (const limit2 of names2) {
    const most = budget[limit2];
    if (most === void 0) continue;
    const spent = limits[limit2].spent(spend2);
    if (limit2 === "max_seconds" ? spent >= most : spent > most) return overBudget(whose3, limit2, most, spent);
  }
  return void 0;
}
function outOfTime(whose3, budget, spend2) {
  const most = budget.max_seconds ?? 0;
  return overBudget(whose3, "max_seconds", most, Math.max(most, spend2.ms / 1e3));
}
function overBudget(whose3, limit2, most, spent) {
  const rounded = Math.round(spent * 1e3) / 1e3;
  return { limit: limit2, reason: `The budget of the ${whose3} is spent: ${rounded} of ${most} ${limits[limit2].unit} (${limit2}).` };
}
function spendOf(task, now) {
  return { tokens: task.inputTokens + task.outputTokens, toolCalls: task.toolCalls, ms: spentMs(task, now) };
}
function overBudgetOf(run, task, now) {
  if (task.overBudget !== null) return task.overBudget;
  const { budget } = task.spec;
  return (budget === void 0 ? void 0 : crossing("task", budget, spendOf(task, now))) ?? run.overBudget ?? void 0;
}
function refuseOverBudget(over, what) {
  if (over === void 0) return;
  throw new FleetError("budget_exceeded", `${over.reason} So ${what}. Give the work to a new run with a larger budget.`);
}
function budgetLeft(run, task, now) {
  const own = task.spec.budget === void 0 ? [] : [left(task.spec.budget, spendOf(task, now))];
  const runs = run.spend === null ? [] : [left(run.spend.budget, run.spend.by(now))];
  const all = [...own, ...runs];
  if (all.length === 0) return void 0;
  const least = names2.flatMap((limit2) => {
    const values = all.flatMap((one) => one[limit2] ?? []);
    return values.length === 0 ? [] : [[limit2, Math.min(...values)]];
  });
  return Object.fromEntries(least);
}
function left(budget, spend2) {
  const rest = names2.flatMap((limit2) => {
    const most = budget[limit2];
    return most === void 0 ? [] : [[limit2, Math.max(0, Math.floor(most - limits[limit2].spent(spend2)))]];
  });
  return Object.fromEntries(rest);
}

// src/engine/cancel.ts
function* cancelTask(context, run, task, cancel) {
  const { now } = context;
  const live = isLeased(task.status);
  const events = [
    ...live ? [{ state: "interrupted", signal: cancel.reason }] : [],
    { state: "cancelled", cancelled_by: cancel.by }
  ];
  const reporter = live ? task.worker : null;
  yield {
    on: run.header.id,
    kind: "task.stepped",
    task: task.id,
    ...live && { attempt: task.attempt },
    set: {
      ...leaseStep(task, { type: "cancel" }),
      endedAt: now,
      ...live && { spentMs: spentMs(task, now) },
      ...cleared(
        task,
        "timeoutAt",
        "timeoutMs",
        "notBefore",
        "notBeforeMs",
        "process",
        "pending",
        "overBudget",
        "permissions",
        "route"
      ),
      cause: cancel.cause ?? cancel.reason
    },
    ...reported(task, reporter, events),
    receipt: receiptOf(run, task, {
      result: "skip",
      at: now,
      terminalSeq: lastSeqOf(task, reporter) + events.length,
      evidence: cancel.reason,
      hadWorker: live
    }),
    ...isWorking(task.status) && { effects: ["worker.stop"] }
  };
}

// src/engine/task-ended.ts
function* afterTaskEnded(context, run, task) {
  if (run.dependants.has(task.id)) {
    if (satisfies(task)) yield* freeDependants(context, run, task);
    else if (task.status === "failed" || task.status === "cancelled") yield* cancelDependants(context, run, task);
  }
  if (isOver2(run)) yield* endRun(context, run);
}
function* freeDependants(context, run, task) {
  for (const id of run.dependants.get(task.id) ?? []) {
    const dependant = run.tasks.get(id);
    if (dependant?.status === "blocked" && dependant.openDependencies === 0) yield* unblock(context, run, dependant);
  }
}
function* cancelDependants(context, run, task) {
  const gone = [task];
  for (let cause = gone.pop(); cause !== void 0; cause = gone.pop()) {
    for (const id of run.dependants.get(cause.id) ?? []) {
      const dependant = run.tasks.get(id);
      if (dependant === void 0 || !isWaiting(dependant.status)) continue;
      yield* cancelTask(context, run, dependant, {
        by: "fleet",
        reason: `Its dependency ${cause.id} ${ended(cause)}.`,
        cause: cause.id
      });
      gone.push(dependant);
    }
  }
}
function* cancelHopeless(context, run, task) {
  if (task.status !== "blocked") return;
  const cause = (task.spec.depends_on ?? []).map((id) => run.tasks.get(id)).find((dependency) => dependency?.status === "failed" || dependency?.status === "cancelled");
  if (cause === void 0) return;
  yield* cancelTask(context, run, task, {
    by: "fleet",
    reason: `Its dependency ${cause.id} had ended ${cause.status}.`,
    cause: cause.id
  });
  yield* afterTaskEnded(context, run, task);
}
function* unblock(context, run, task) {
  const { now } = context;
  const delayMs = Math.max(delayOf(task.spec, now), leftOf(task, now));
  yield {
    on: run.header.id,
    kind: "task.stepped",
    task: task.id,
    set: {
      ...leaseStep(task, { type: "unblock", delayed: delayMs > 0 }),
      enqueuedAt: now,
      ...delayMs > 0 ? moment(now, delayMs) : cleared(task, "notBefore", "notBeforeMs")
    },
    ...reported(task, null, delayMs > 0 ? [] : [{ state: "queued" }])
  };
}
function firstStep(spec, now) {
  if ((spec.depends_on ?? []).length > 0) return {};
  const delayMs = delayOf(spec, now);
  const next = leaseLifecycle.step(leaseLifecycle.initial, { type: "unblock", delayed: delayMs > 0 });
  return next === void 0 ? {} : { status: next.value, ...delayMs > 0 && moment(now, delayMs) };
}
function delayOf({ not_before }, now) {
  return not_before === void 0 ? 0 : Math.max(0, Date.parse(not_before) - now);
}
function leftOf({ notBefore, notBeforeMs }, now) {
  return notBefore === null ? 0 : Math.min(notBefore - now, notBeforeMs ?? 0);
}
function isOver2(run) {
  return !isEndedRun(run.status) && run.sealed && openTasks(run) === 0;
}
function* endRun(context, run) {
  if (!isOver2(run)) return;
  const result = run.counts.failed > 0 ? "failed" : run.counts.cancelled > 0 ? "cancelled" : "completed";
  yield {
    on: run.header.id,
    kind: "run.stepped",
    run: runStep(run, { type: "end", result }, context.now),
    ...result === "completed" && { raised: ["run_completed"] }
  };
}
function ended(task) {
  return task.status === "failed" ? "failed" : "was cancelled";
}

// src/engine/attempt-end.ts
var crashesThatFail = 3;
var receiptResults = {
  transport: "fail",
  task: "fail",
  verifier: "fail",
  timeout: "timeout",
  stale: "fail"
};
var failureKinds = {
  transport: "transport",
  task: "task",
  verifier: "verifier",
  timeout: "task",
  stale: "transport"
};
function* failAttempt(context, run, task, what) {
  const { now } = context;
  const over = overBudgetOf(run, task, what.until ?? now);
  const failure = over === void 0 ? what : ofBudget(what, over);
  const failures2 = task.failures + 1;
  const jitter = context.defaults.jitter ? context.draw() : void 0;
  const decision = decideRetry(task.spec.retry_policy, failure, failures2, jitter);
  const next = waitingStep(task, { type: "fail", retry: decision.retry, delayed: decision.delayMs > 0 });
  const ending = [...artifactEvents(failure.artifacts), ...failureEvents(failure, decision.retry, failures2)];
  const events = next.status === "enqueued" ? [...ending, { state: "queued" }] : ending;
  const effects = failure.stillRunning ? ["worker.stop"] : [];
  const raised = [];
  if (failure.cause === "stale") raised.push("stale");
  if (failure.cause === "verifier") raised.push("verifier_failed");
  if (decision.exhausted) raised.push("restart_exhausted");
  if (over !== void 0 && task.overBudget === null && run.overBudget === null) raised.push("budget_exceeded");
  yield {
    on: run.header.id,
    kind: "task.stepped",
    task: task.id,
    attempt: task.attempt,
    set: {
      ...next,
      failedOn: task.worker,
      spentMs: spentMs(task, failure.until ?? now),
      ...cleared(task, "timeoutAt", "timeoutMs", "pending", "process", "overBudget", "permissions", "route"),
      ...task.released && { released: false },
      ...failure.cause === "stale" && { stale: true },
      ...decision.retry ? { enqueuedAt: now, ...moment(now, decision.delayMs) } : { endedAt: now, ...cleared(task, "notBefore", "notBeforeMs") }
    },
    ...reported(task, task.worker, events),
    receipt: receiptOf(run, task, {
      result: receiptResults[failure.cause],
      failureKind: failureKinds[failure.cause],
      at: now,
      until: failure.until,
      terminalSeq: lastSeqOf(task, task.worker) + ending.length,
      score: failure.verdict?.score,
      evidence: failure.verdict?.evidence ?? failure.reason,
      artifacts: failure.artifacts
    }),
    ...effects.length > 0 && { effects },
    ...raised.length > 0 && { raised }
  };
  if (!decision.retry) yield* afterTaskEnded(context, run, task);
  else yield* cancelHopeless(context, run, task);
}
function* releaseAttempt(context, run, task, release2) {
  if (release2.crash && task.crashes + 1 >= crashesThatFail) {
    yield* failAttempt(context, run, task, {
      cause: "transport",
      reason: `The fleet crashed ${crashesThatFail} times in a row while this task was running.`,
      final: false,
      stillRunning: false,
      until: release2.until
    });
    return;
  }
  if (overBudgetOf(run, task, release2.until ?? context.now) !== void 0) {
    const { reason, stillRunning, until } = release2;
    yield* failAttempt(context, run, task, { cause: "task", reason, final: true, stillRunning, until });
    return;
  }
  const next = waitingStep(task, { type: "release", crash: release2.crash });
  const queued = next.status === "enqueued" ? [{ state: "queued" }] : [];
  yield {
    on: run.header.id,
    kind: "task.stepped",
    task: task.id,
    attempt: task.attempt,
    set: {
      ...next,
      enqueuedAt: task.enqueuedAt,
      spentMs: spentMs(task, release2.until ?? context.now),
      ...cleared(task, "timeoutAt", "timeoutMs", "process", "permissions", "route"),
      released: true
    },
    ...reported(task, task.worker, [{ state: "interrupted", signal: release2.reason }, ...queued]),
    ...release2.stillRunning && { effects: ["worker.stop"] }
  };
  yield* cancelHopeless(context, run, task);
}
function waitingStep(task, event) {
  const next = leaseStep(task, event);
  const waits = next.status === "enqueued" || next.status === "backoff";
  return waits && task.openDependencies > 0 ? leaseStep(task, event, { type: "block" }) : next;
}
function ofBudget(failure, over) {
  return {
    ...failure,
    cause: over.limit === "max_seconds" ? "timeout" : "task",
    reason: `${over.reason} ${failure.reason}`,
    final: true,
    ...failure.verdict !== void 0 && {
      verdict: { ...failure.verdict, evidence: `${over.reason} ${failure.verdict.evidence}` }
    }
  };
}
function artifactEvents(artifacts) {
  return (artifacts ?? []).map((artifact) => ({ state: "artifact", ...artifact }));
}
function failureEvents(failure, retried, failures2) {
  if (failure.cause !== "stale") return [{ state: "failed", reason: failure.reason, recoverable: !failure.final }];
  const stale = {
    state: "stale",
    ...failure.lastHeartbeatAt !== void 0 && { last_heartbeat_at: instant(failure.lastHeartbeatAt) }
  };
  return retried ? [stale] : [stale, { state: "failed", reason: `retry attempts exhausted after ${failures2} attempt(s)`, recoverable: false }];
}

// src/engine/heartbeat.ts
function announceHeartbeat(core, attempt, { cpu_percent, memory_mb } = {}) {
  const run = core.state.runs.get(attempt.run);
  if (run === void 0 || !core.isListenedTo("worker.heartbeat")) return;
  core.announce({
    cursor: core.liveCursor(run),
    event: "worker.heartbeat",
    run_id: attempt.run,
    task_id: attempt.task,
    worker_id: attempt.worker,
    attempt: attempt.attempt,
    timestamp: instant(core.clock.now()),
    payload: { ...cpu_percent !== void 0 && { cpu_percent }, ...memory_mb !== void 0 && { memory_mb } }
  });
}

// src/engine/attempt-watch.ts
function createAttemptWatch(core, workers, budgets) {
  const { deadlines, clock, defaults } = core;
  const beatMs = defaults.leaseTtlMs / 4;
  function watch(attempt) {
    if (workers.get(attempt.worker)?.transport.heartbeats === "fleet") again(attempt, "lease", beatMs, beat);
    else again(attempt, "lease", defaults.leaseTtlMs, expire);
    if (defaults.stallAfterMs !== void 0) again(attempt, "stall", defaults.stallAfterMs, stall);
  }
  function again(attempt, name, ms, act) {
    attempt.watches[name]?.();
    attempt.watches[name] = deadlines.after(ms, () => act(attempt));
  }
  function isAlive2(attempt) {
    return !attempt.lingering && core.presence.get(attempt.run, attempt.task, attempt.attempt) === attempt;
  }
  function beat(attempt) {
    if (!isAlive2(attempt)) return;
    attempt.deadline = deadlines.leaseNow() + defaults.leaseTtlMs;
    attempt.lastHeardAt = clock.now();
    announceHeartbeat(core, attempt);
    again(attempt, "lease", beatMs, beat);
  }
  function expire(attempt) {
    if (isAlive2(attempt) && hasExpired(attempt)) goStale(attempt, hasExpired);
  }
  function stall(attempt) {
    if (isAlive2(attempt) && hasStalled(attempt)) goStale(attempt, hasStalled);
  }
  function hasExpired(attempt) {
    return isOver3(attempt, "lease", attempt.deadline, expire);
  }
  function hasStalled(attempt) {
    return isOver3(attempt, "stall", attempt.lastProgress + (defaults.stallAfterMs ?? 0), stall);
  }
  function isOver3(attempt, name, at, act) {
    const left2 = at - deadlines.leaseNow();
    if (left2 > 0) again(attempt, name, left2, act);
    return left2 <= 0;
  }
  function goStale(attempt, isStillDue) {
    core.turns.report((context) => {
      const found = liveTask(core, attempt.run, attempt.task, attempt.attempt);
      if (found === void 0 || !isStillDue(attempt)) return nothing();
      const worker = workers.get(attempt.worker);
      if (worker !== void 0) workers.step(worker, { type: "unwell" });
      if (found.task.status === "starting")
        return releaseAttempt(context, found.run, found.task, { reason: "never accepted", crash: false, stillRunning: true });
      return failAttempt(context, found.run, found.task, {
        cause: "stale",
        reason: `Nothing was heard of the attempt for ${defaults.leaseTtlMs / 1e3} s.`,
        final: false,
        lastHeartbeatAt: attempt.lastHeardAt,
        stillRunning: true
      });
    });
  }
  function arm(run, task) {
    const { turns } = core;
    const now = clock.now();
    const runId2 = run.header.id;
    const taskId = task.id;
    if (task.status === "backoff" && task.notBefore !== null) {
      const at = task.notBefore;
      deadlines.after(bounded(at - now, task.notBeforeMs), () => {
        turns.report(() => {
          const found = core.state.runs.get(runId2)?.tasks.get(taskId);
          if (found?.status !== "backoff" || found.notBefore !== at) return nothing();
          return just({
            on: runId2,
            kind: "task.stepped",
            task: taskId,
            set: { ...leaseStep(found, { type: "due" }), notBefore: null, notBeforeMs: null },
            ...reported(found, null, [{ state: "queued" }])
          });
        });
      });
    }
    if (isWorking(task.status) && task.timeoutAt !== null) {
      const { attempt, timeoutMs } = task;
      const presence = core.presence.get(runId2, taskId, attempt);
      const disarm = deadlines.after(bounded(task.timeoutAt - now, timeoutMs), () => {
        turns.report((context) => {
          const found = liveTask(core, runId2, taskId, attempt);
          if (found === void 0) return nothing();
          return failAttempt(context, found.run, found.task, {
            cause: "timeout",
            reason: `The attempt ran longer than its limit of ${(timeoutMs ?? 0) / 1e3} s.`,
            final: false,
            stillRunning: true
          });
        });
      });
      if (presence === void 0) return;
      presence.watches.timeout?.();
      presence.watches.timeout = disarm;
      budgets.arm(run, task);
    }
  }
  return { watch, arm };
}
function liveTask(core, runId2, taskId, attempt) {
  const run = core.state.runs.get(runId2);
  const task = run?.tasks.get(taskId);
  return run !== void 0 && task !== void 0 && task.attempt === attempt && isWorking(task.status) ? { run, task } : void 0;
}
function bounded(ms, most) {
  return Math.max(0, most === null ? ms : Math.min(ms, most));
}

// src/engine/commands/budget.ts
function* keepBudgets(context, run, task) {
  const { budget } = task.spec;
  const over = budget === void 0 ? void 0 : crossing("task", budget, spendOf(task, context.now));
  if (over !== void 0) yield* taskOverBudget(run, task, over);
  if (run.spend === null) return;
  const runOver = crossing("run", run.spend.budget, run.spend.by(context.now));
  if (runOver !== void 0) yield* runOverBudget(context, run, runOver);
}
function* taskOverBudget(run, task, over) {
  if (isWorking(task.status) && task.overBudget === null) {
    yield { ...handBack(run, task, over), raised: ["budget_exceeded"] };
  }
}
function* runOverBudget(context, run, over) {
  if (run.overBudget !== null) return;
  yield {
    on: run.header.id,
    kind: "run.over_budget",
    run: { overBudget: over, updatedAt: context.now },
    raised: ["budget_exceeded"]
  };
  for (const task of run.tasks.values()) {
    if (isWorking(task.status) && task.overBudget === null) yield handBack(run, task, over);
    else if (isWaiting(task.status)) yield* cancelTask(context, run, task, { by: "fleet", reason: over.reason, cause: null });
  }
  yield* endRun(context, run);
}
function* graceOver(context, run, task) {
  const over = overBudgetOf(run, task, context.now);
  if (over === void 0) return;
  yield* failAttempt(context, run, task, {
    cause: "task",
    reason: "It handed nothing back in time.",
    final: true,
    stillRunning: true
  });
}
function handBack(run, task, over) {
  return {
    on: run.header.id,
    kind: "task.over_budget",
    task: task.id,
    attempt: task.attempt,
    set: { overBudget: over },
    effects: ["worker.hand_back"]
  };
}

// src/engine/budget-watch.ts
function createBudgetWatch(core) {
  const { deadlines, clock, turns, defaults } = core;
  const runs = /* @__PURE__ */ new Map();
  function arm(run, task) {
    const presence = core.presence.get(run.header.id, task.id, task.attempt);
    if (presence === void 0 || task.overBudget === null && task.spec.budget?.max_seconds === void 0) return;
    const wait = task.overBudget === null ? secondsLeft(task) : defaults.handBackGraceMs;
    const key = { run: run.header.id, task: task.id, attempt: task.attempt };
    presence.watches.budget?.();
    presence.watches.budget = deadlines.after(wait, task.overBudget === null ? () => timeIsUp(key) : () => graceIsOver(key));
  }
  function secondsLeft(task) {
    const mostMs = (task.spec.budget?.max_seconds ?? 0) * 1e3;
    return mostMs - spendOf(task, clock.now()).ms;
  }
  function timeIsUp(key) {
    turns.report((context) => {
      const live = liveTask(core, key.run, key.task, key.attempt);
      if (live?.task.spec.budget === void 0) return nothing();
      return taskOverBudget(live.run, live.task, outOfTime("task", live.task.spec.budget, spendOf(live.task, context.now)));
    });
  }
  function graceIsOver(key) {
    turns.report((context) => {
      const live = liveTask(core, key.run, key.task, key.attempt);
      return live === void 0 ? nothing() : graceOver(context, live.run, live.task);
    });
  }
  function armRun(run) {
    const { spend: spend2 } = run;
    if (spend2?.budget.max_seconds === void 0) return;
    const { id } = run.header;
    runs.get(id)?.();
    runs.delete(id);
    if (spend2.leases === 0 || run.overBudget !== null) return;
    const left2 = spend2.budget.max_seconds * 1e3 - spend2.by(clock.now()).ms;
    const cancel = deadlines.after(left2 / spend2.leases, () => {
      runs.delete(id);
      turns.report((context) => {
        const now = core.state.runs.get(id);
        if (now?.spend == null || now.spend.leases === 0) return nothing();
        return runOverBudget(context, now, outOfTime("run", now.spend.budget, now.spend.by(context.now)));
      });
    });
    runs.set(id, cancel);
  }
  return { arm, armRun };
}

// src/engine/commit.ts
function createCommits({ store, clock }, recovery) {
  let queued = [];
  let writing;
  let asking;
  let askingNext = [];
  async function write() {
    while (queued.length > 0) {
      await clock.turn();
      const turns = queued;
      queued = [];
      asking = askingNext;
      askingNext = [];
      while (turns[0]?.entries.length === 0) turns.shift()?.durable();
      const batches = batchesOf(turns, recovery);
      try {
        if (batches.length > 0) await store.append(batches);
      } catch (error) {
        await fail3(turns, asStoreError(error));
        continue;
      }
      for (const turn of turns) turn.durable();
      answer(true);
      recovery.followed();
    }
    writing = void 0;
  }
  function answer(isDurable) {
    const all = asking ?? [];
    asking = void 0;
    for (const tell of all) tell(isDurable);
  }
  async function fail3(turns, error) {
    const since = queued;
    queued = [];
    asking?.push(...askingNext);
    askingNext = [];
    const all = [...turns, ...since];
    const runs = new Set(all.flatMap((turn) => turn.entries.map(({ run }) => run)));
    const stored = await recovery.restore(runs, error);
    const asked = new Set(turns);
    for (const turn of all) {
      const isAsked = error.code === "outcome_unknown" && asked.has(turn);
      const kept = isAsked ? turn.entries.filter(({ run, entry }) => entry.seq <= (stored.get(run) ?? 0)) : [];
      if (kept.length > 0 && kept.length === turn.entries.length) turn.durable();
      else {
        if (kept.length > 0) turn.stored(kept);
        turn.discarded(blamed(turn, error));
      }
    }
    answer(false);
    recovery.followed();
    recovery.resumed();
  }
  function push(turn) {
    queued.push(turn);
    writing ??= write();
  }
  return {
    push,
    durable: () => new Promise((resolve4) => {
      if (queued.length > 0) askingNext.push(resolve4);
      else if (asking !== void 0) asking.push(resolve4);
      else resolve4(true);
    }),
    async settled() {
      while (writing !== void 0) await writing;
    },
    get idle() {
      return writing === void 0;
    }
  };
}
function blamed(turn, error) {
  const id = error.details["run"];
  if (error.code !== "run_exists" || typeof id !== "string" || turn.entries.some(({ run }) => run === id)) return error;
  return new FleetError(
    "not_stored",
    "The append that this shared with another command was refused, so nothing was changed. Try again.",
    {
      cause: error
    }
  );
}
function batchesOf(turns, recovery) {
  const byRun = /* @__PURE__ */ new Map();
  for (const turn of turns) {
    for (const { run, entry } of turn.entries) {
      const entries = byRun.get(run);
      if (entries === void 0) byRun.set(run, [entry]);
      else entries.push(entry);
    }
  }
  return [...byRun].map(([run, entries]) => ({
    run,
    after: (entries[0]?.seq ?? 1) - 1,
    // An entry is plain JSON by construction.
    entries,
    ...entries.some((entry) => entry.run !== void 0) && { row: recovery.rowOf(run) }
  }));
}
function asStoreError(error) {
  if (FleetError.is(error)) return error;
  return new FleetError("not_stored", `The store refused an append: ${String(error)}`, { cause: error });
}

// src/engine/deadlines.ts
import TinyQueue3 from "tinyqueue";
var doNothing = () => void 0;
var sweepAt = 1024;
var noticeableMs = 250;
var hearingMs = 5e3;
function createDeadlines(clock, options) {
  const order2 = (a, b) => a.at - b.at || a.order - b.order;
  let queue = new TinyQueue3([], order2);
  let cancelled = 0;
  let waiting;
  let count2 = 0;
  let offset = 0;
  let stoodAt;
  let lastLeaseNow = clock.monotonic();
  let closed = false;
  function arm() {
    while (queue.peek()?.cancelled === true) {
      queue.pop();
      cancelled -= 1;
    }
    const next = queue.peek();
    if (closed || next === void 0) {
      waiting?.cancel();
      waiting = void 0;
      return;
    }
    const keepAlive = options.keepAlive();
    if (waiting !== void 0 && waiting.at <= next.at && waiting.keepAlive === keepAlive) return;
    waiting?.cancel();
    const cancel2 = clock.alarm(Math.max(0, next.at - clock.monotonic()), wake, { keepAlive });
    waiting = { at: next.at, keepAlive, cancel: cancel2 };
  }
  function wake() {
    waiting = void 0;
    run();
  }
  function run() {
    const now = clock.monotonic();
    const late = now - (queue.peek()?.at ?? now);
    if (late > noticeableMs && stoodAt === void 0)
      offset = Math.min(offset + late + Math.min(late, hearingMs), now - lastLeaseNow);
    const due = [];
    for (let next = queue.peek(); next !== void 0 && next.at <= now; next = queue.peek()) {
      queue.pop();
      next.queued = false;
      if (next.cancelled) cancelled -= 1;
      else due.push(next);
    }
    for (const deadline of due) if (!deadline.cancelled) deadline.act();
    arm();
  }
  function cancel(deadline) {
    if (deadline.cancelled) return;
    deadline.cancelled = true;
    deadline.act = doNothing;
    if (!deadline.queued) return;
    cancelled += 1;
    if (cancelled > sweepAt && cancelled > queue.length / 2) {
      queue = new TinyQueue3(
        queue.data.filter((waits) => !waits.cancelled),
        order2
      );
      cancelled = 0;
    }
    if (queue.peek() === deadline || queue.length === 0) arm();
  }
  return {
    after(ms, act) {
      const deadline = {
        at: clock.monotonic() + Math.max(0, ms),
        order: count2 += 1,
        act,
        cancelled: false,
        queued: true
      };
      queue.push(deadline);
      arm();
      return () => cancel(deadline);
    },
    leaseNow: () => lastLeaseNow = (stoodAt ?? clock.monotonic()) - offset,
    hold() {
      stoodAt ??= clock.monotonic();
    },
    goOn() {
      if (stoodAt !== void 0) offset += clock.monotonic() - stoodAt;
      stoodAt = void 0;
    },
    refresh() {
      if (waiting !== void 0 && waiting.keepAlive !== options.keepAlive()) arm();
    },
    close() {
      closed = true;
      arm();
    }
  };
}

// src/engine/turns.ts
function createTurns(commits, hooks) {
  let discarded = [];
  let kept = [];
  function decideAll(decide) {
    const entries = [];
    const context = hooks.context();
    const outcome = drive(context, decide, entries);
    drive(context, hooks.schedule, entries);
    return { entries, outcome };
  }
  function drive(context, decide, entries) {
    try {
      const decision = decide(context);
      let step = decision.next();
      while (step.done !== true) {
        const { on } = step.value;
        const entry = hooks.apply(step.value);
        entries.push({ run: on, entry });
        const following = hooks.following(context, on, entry);
        if (following !== void 0) for (const draft of following) entries.push({ run: draft.on, entry: hooks.apply(draft) });
        step = decision.next();
      }
      return { answer: step.value };
    } catch (refusal3) {
      return { refusal: refusal3 };
    }
  }
  function keep2(list2, decide) {
    if (discarded.length + kept.length < hooks.keepLimit) list2.push(decide);
  }
  function report(decide) {
    if (hooks.refusing() !== void 0) {
      keep2(kept, decide);
      return;
    }
    const { entries, outcome } = decideAll(decide);
    if ("refusal" in outcome && !FleetError.is(outcome.refusal, "refused")) throw outcome.refusal;
    if (entries.length === 0 && (commits.idle || decide === nothing)) return;
    commits.push({
      entries,
      durable: () => hooks.durable(entries),
      stored: hooks.durable,
      discarded: () => keep2(discarded, decide)
    });
  }
  return {
    async command(decide) {
      const refusing = hooks.refusing();
      if (refusing !== void 0) throw refusing;
      const { entries, outcome } = decideAll(decide);
      await new Promise((resolve4, reject) => {
        commits.push({
          entries,
          durable() {
            hooks.durable(entries);
            resolve4();
          },
          stored: hooks.durable,
          discarded: reject
        });
      });
      if ("refusal" in outcome) throw outcome.refusal;
      return outcome.answer;
    },
    report,
    // Scheduling follows whatever is decided.
    nudge: () => report(nothing),
    keepsReports: () => discarded.length + kept.length > 0,
    retryKept() {
      const again = [...discarded, ...kept];
      discarded = [];
      kept = [];
      for (const decide of again) report(decide);
      report(nothing);
    }
  };
}

// src/engine/receipts.ts
async function readReceipt(store, run, seq) {
  const [entry] = await store.read(run, { from: seq, limit: 1 });
  return entry?.receipt;
}
async function previousReceipts(store, run, task) {
  if (task.receipts.length === 0) return [];
  const found = await Promise.all(task.receipts.map((seq) => readReceipt(store, run.header.id, seq)));
  return found.filter((receipt) => receipt !== void 0);
}
async function dependencyResults(store, run, task) {
  const results = [];
  for (const id of task.spec.depends_on ?? []) {
    const seq = run.tasks.get(id)?.receipts.at(-1);
    const receipt = seq === void 0 ? void 0 : await readReceipt(store, run.header.id, seq);
    if (receipt !== void 0) results.push({ task_id: id, receipt });
  }
  return results;
}

// src/engine/assignment.ts
function gatherAssignment(parts2, run, task) {
  const prepared = parts2.core.workspaces.prepare(task.spec, run.header.workspace);
  const isAlone = task.receipts.length === 0 && (task.spec.depends_on ?? []).length === 0;
  const hasSecrets = (run.header.security_policy?.allowed_secrets.length ?? 0) > 0;
  if (prepared instanceof Promise || !isAlone || hasSecrets) return read(parts2, run, task, prepared);
  return "problems" in prepared ? prepared : { prepared, previous: [], dependencies: [] };
}
async function read(parts2, run, task, preparing) {
  const { store } = parts2.core;
  const prepared = await preparing;
  if ("problems" in prepared) return prepared;
  const previous = await previousReceipts(store, run, task);
  const dependencies = await dependencyResults(store, run, task);
  const granted = await resolveSecrets(parts2, run, task);
  if ("problems" in granted) return granted;
  return { prepared, previous, dependencies, ...granted };
}
async function resolveSecrets({ core, workers, signal }, run, task) {
  var _stack = [];
  try {
    const refs = run.header.security_policy?.allowed_secrets ?? [];
    const level = task.worker === null ? void 0 : workers.termsOf(task, task.worker).level;
    if (refs.length === 0 || level === void 0 || !mayAccessSecrets(level)) return {};
    const limit2 = new AbortController();
    const disarm = core.deadlines.after(core.defaults.secretTimeoutMs, () => limit2.abort());
    const either = __using(_stack, joinSignals([limit2.signal, signal]));
    const outcome = await core.secrets.resolve(refs, { signal: either.signal });
    disarm();
    return "problems" in outcome ? outcome : { secrets: outcome.values };
  } catch (_) {
    var _error = _, _hasError = true;
  } finally {
    __callDispose(_stack, _error, _hasError);
  }
}

// src/engine/schedule.ts
function attemptTimeoutMs(task, defaults) {
  const seconds = task.spec.timeout_seconds;
  return seconds === void 0 ? defaults.attemptTimeoutMs : seconds * 1e3;
}
function* schedule(context, roster) {
  const { state, defaults } = context;
  for (const runId2 of state.turns) {
    if (state.working >= defaults.maxLeases || !roster.anyFree()) return;
    const run = state.runs.get(runId2);
    const task = run?.ready.first((requirement) => roster.freeFor(requirement, null) !== void 0, state.gates, context.now);
    const worker = task && roster.freeFor(task.requirement, task.failedOn);
    if (run === void 0 || task === void 0 || worker === void 0) continue;
    yield* lease(context, run, task, worker);
    if (state.turns.delete(runId2)) state.turns.add(runId2);
  }
}
function* lease(context, run, task, worker) {
  const { now, defaults } = context;
  if (run.status === "queued") yield { on: run.header.id, kind: "run.stepped", run: runStep(run, { type: "lease" }, now) };
  const terms = context.termsOf(task, worker.id);
  const restart = task.attempt > 0 && !task.released;
  const step = worker.startsAtOnce ? leaseStep(task, { type: "lease" }, { type: "accept" }) : leaseStep(task, { type: "lease" });
  const set = {
    status: step.status,
    attempt: step.attempt,
    failures: step.failures,
    crashes: step.crashes,
    worker: worker.id,
    incarnation: worker.incarnation,
    leasedAt: now
  };
  if (terms !== usualTerms) set.permissions = terms.permissions;
  clear(set, task, "notBefore", "notBeforeMs");
  if (restart) set.restarts = task.restarts + 1;
  if (task.released) set.released = false;
  if (worker.startsAtOnce) {
    const timeoutMs = attemptTimeoutMs(task, defaults);
    set.timeoutAt = now + timeoutMs;
    set.timeoutMs = timeoutMs;
    if (task.stale) set.stale = false;
  }
  const {
    worker: reporter,
    workerSeq,
    events
  } = reported(task, worker.id, leaseEvents(task, worker, restart, now + defaults.leaseTtlMs));
  yield {
    on: run.header.id,
    kind: "task.stepped",
    task: task.id,
    attempt: step.attempt,
    set,
    worker: reporter,
    workerSeq,
    events,
    effects: ["worker.start"]
  };
}
function leaseEvents(task, worker, restart, expiresAt) {
  const events = [{ state: "leased", lease_expires_at: instant(expiresAt) }];
  if (restart) events.push({ state: "restarted", restart_count: task.restarts + 1 });
  events.push({ state: "starting" });
  if (worker.startsAtOnce) events.push({ state: "running" });
  return events;
}

// src/engine/score.ts
function scoreOf(scorers, task, message) {
  const spec = task.spec.scorer;
  if (spec === void 0) return { effect: false, verdict: unscored(message) };
  const scorer = scorers[spec.kind];
  if (scorer.effect) return { effect: true };
  const score = scorer.score;
  return { effect: false, verdict: score({ scorer: spec, root: "", exitCode: message.exit_code }) };
}
function unscored(message) {
  return message.schema_accepted === true ? { result: "pass", score: { value: 1, max: 1 }, evidence: "The output schema accepted the output." } : { result: "partial", score: { value: 0.5, max: 1 }, evidence: "No scorer was given." };
}

// src/engine/commands/report.ts
function* accept(context, run, task, message) {
  if (task.status !== "starting") return;
  const timeoutMs = attemptTimeoutMs(task, context.defaults);
  yield {
    on: run.header.id,
    kind: "task.stepped",
    task: task.id,
    attempt: task.attempt,
    set: {
      ...leaseStep(task, { type: "accept" }),
      timeoutAt: context.now + timeoutMs,
      timeoutMs,
      ...message.process !== void 0 && { process: message.process },
      ...task.stale && { stale: false }
    },
    ...reported(task, task.worker, [{ state: "running" }])
  };
}
function* progress(context, run, task, message, newCall) {
  yield {
    on: run.header.id,
    kind: "task.reported",
    task: task.id,
    attempt: task.attempt,
    set: { ...newCall && { toolCalls: task.toolCalls + 1 }, ...task.stale && { stale: false } },
    ...reported(task, task.worker, [message.event])
  };
  if (newCall) yield* keepBudgets(context, run, task);
}
function* spend(context, run, task, message) {
  if (message.input_tokens + message.output_tokens === 0) return;
  yield {
    on: run.header.id,
    kind: "task.reported",
    task: task.id,
    attempt: message.attempt,
    set: {
      inputTokens: task.inputTokens + message.input_tokens,
      outputTokens: task.outputTokens + message.output_tokens
    }
  };
  yield* keepBudgets(context, run, task);
}
function* noteRoute(_, run, task, route) {
  yield { on: run.header.id, kind: "task.reported", task: task.id, attempt: task.attempt, set: { route } };
}
function* recordArtifact(_, run, task, attempt, worker, artifact) {
  yield {
    on: run.header.id,
    kind: "task.reported",
    task: task.id,
    attempt,
    ...reported(task, worker, artifactEvents([artifact]))
  };
}
function* finish(context, run, task, message, log) {
  const ending = log === void 0 ? [] : [log];
  if (message.exit_code !== void 0 && message.exit_code !== 0) {
    yield* failAttempt(context, run, task, {
      cause: "task",
      reason: `exit code ${message.exit_code}`,
      final: false,
      artifacts: ending,
      stillRunning: false
    });
    return;
  }
  const scored2 = scoreOf(context.scorers, task, message);
  const events = [
    ...artifactEvents(ending),
    {
      state: "completed",
      ...message.exit_code !== void 0 && { exit_code: message.exit_code },
      ...message.summary !== void 0 && { summary: message.summary }
    }
  ];
  if (scored2.effect) {
    const confined = task.worker === null ? void 0 : context.termsOf(task, task.worker).confined;
    const pending = {
      output: message.output ?? null,
      exitCode: message.exit_code ?? null,
      ...confined !== void 0 && { confined },
      ...message.evidence_root !== void 0 && { evidenceRoot: message.evidence_root }
    };
    yield {
      on: run.header.id,
      kind: "task.stepped",
      task: task.id,
      attempt: task.attempt,
      set: { ...leaseStep(task, { type: "finish" }), ...cleared(task, "timeoutAt", "timeoutMs", "process"), pending },
      ...reported(task, task.worker, events),
      effects: ["scorer.run"]
    };
    return;
  }
  yield* judge(context, run, task, { verdict: scored2.verdict, events, output: message.output, artifacts: ending });
}
function* verdictReached(context, run, task, verdict2, kept) {
  const output = task.pending?.output;
  yield* judge(context, run, task, { verdict: verdict2, events: artifactEvents(kept), output, artifacts: kept });
}
function* judge(context, run, task, judged) {
  const { verdict: verdict2 } = judged;
  if (verdict2.result === "fail") {
    yield* failJudged(context, run, task, judged);
    return;
  }
  const { events, artifacts, output } = judged;
  const missing3 = missingArtifacts(task, artifacts);
  const partial2 = verdict2.result === "partial" || missing3.length > 0 || task.overBudget !== null;
  const undecided2 = verdict2.result === "partial" && task.spec.scorer !== void 0;
  const step = task.status === "verifying" ? leaseStep(task, { type: "pass" }) : leaseStep(task, { type: "finish" }, { type: "pass" });
  const set = {
    status: step.status,
    attempt: step.attempt,
    failures: step.failures,
    crashes: step.crashes,
    endedAt: context.now,
    spentMs: spentMs(task, context.now)
  };
  clear(set, task, "timeoutAt", "timeoutMs", "process", "pending", "overBudget", "permissions", "route");
  if (task.undecided !== undecided2) set.undecided = undecided2;
  if (task.stale) set.stale = false;
  const { worker, workerSeq, events: said } = reported(task, task.worker, events);
  yield {
    on: run.header.id,
    kind: "task.stepped",
    task: task.id,
    attempt: task.attempt,
    set,
    worker,
    workerSeq,
    events: said,
    receipt: receiptOf(run, task, {
      result: partial2 ? "partial" : "pass",
      at: context.now,
      terminalSeq: lastSeqOf(task, task.worker) + events.length,
      score: partial2 && verdict2.result === "pass" ? { value: 0.5, max: 1 } : verdict2.score,
      evidence: evidenceOf(task, verdict2, missing3),
      output,
      artifacts
    }),
    raised: undecided2 ? ["needs_human"] : void 0
  };
  yield* afterTaskEnded(context, run, task);
}
function evidenceOf({ overBudget: overBudget2 }, { evidence }, missing3) {
  const lines = [
    overBudget2?.reason ?? "",
    evidence,
    missing3.length > 0 ? `Expected artifacts are missing: ${missing3.join(", ")}.` : ""
  ];
  return lines.filter((line2) => line2 !== "").join("\n");
}
function* failJudged(context, run, task, judged) {
  const { verdict: verdict2 } = judged;
  yield* failAttempt(context, run, task, {
    cause: verdict2.failureKind ?? "task",
    reason: verdict2.evidence,
    final: false,
    artifacts: judged.artifacts,
    verdict: { score: verdict2.score, evidence: verdict2.evidence },
    stillRunning: false
  });
}
function* fail(context, run, task, message, log) {
  yield* failAttempt(context, run, task, {
    cause: message.failure_kind,
    reason: message.reason,
    final: message.recoverable === false,
    artifacts: log === void 0 ? [] : [log],
    stillRunning: false
  });
}

// src/engine/redacted-report.ts
var same = (message) => message;
var redact = {
  accepted: (message, redactor) => message.process === void 0 ? message : { ...message, process: { group: message.process.group, started: redactor.text(message.process.started) } },
  heartbeat: same,
  progress: (message, redactor) => ({ ...message, event: redactProgress(message.event, redactor) }),
  usage: same,
  route: (message, redactor) => ({ ...message, route: redactor.json(message.route) }),
  // A secret may be spread over several messages: see `redactLog`.
  log: same,
  // Its path finds the file: see `redactArtifact`.
  artifact: (message, redactor) => ({
    ...message,
    kind: redactor.text(message.kind),
    ...message.mime_type !== void 0 && { mime_type: redactor.text(message.mime_type) }
  }),
  result: (message, redactor) => ({
    ...message,
    ...message.summary !== void 0 && { summary: redactor.text(message.summary) },
    ...message.output !== void 0 && { output: redactor.json(message.output) }
  }),
  failed: (message, redactor) => ({ ...message, reason: redactor.text(message.reason) }),
  stopped: same
};
function redactReport(core, message) {
  const { redactor } = core.inUse;
  if (redactor === void 0) return message;
  const redactOne = redact[message.type];
  return redactOne(message, redactor);
}
var progressFields = /* @__PURE__ */ new Set(["model", "tool", "call_id", "workflow_run_id", "event"]);
function redactProgress({ state, ...words2 }, redactor) {
  const members = Object.entries(words2).map(
    ([name, member]) => [progressFields.has(name) ? name : redactor.text(name), redactor.json(member)]
  );
  return { state, ...Object.fromEntries(members) };
}
function redactLog(core, presence, text3) {
  const { redactor } = core.inUse;
  if (redactor === void 0) return text3;
  let begun = presence.redaction;
  let held2 = "";
  if (begun?.redactor !== redactor) {
    held2 = begun === void 0 ? "" : decode2(begun.stream.giveBack());
    presence.redaction = begun = { redactor, stream: redactor.stream() };
  }
  return decode2(begun.stream.write(new TextEncoder().encode(held2 + text3)));
}
function restOfLog(presence) {
  return presence.redaction === void 0 ? "" : decode2(presence.redaction.stream.end());
}
function redactArtifact(core, artifact) {
  const { redactor } = core.inUse;
  return redactor === void 0 ? artifact : { ...artifact, path: redactor.text(artifact.path) };
}
function redactVerdict(core, verdict2) {
  const { redactor } = core.inUse;
  if (redactor === void 0) return verdict2;
  const { score } = verdict2;
  return {
    ...verdict2,
    evidence: redactor.text(verdict2.evidence),
    score: { ...score, ...score.notes !== void 0 && { notes: redactor.text(score.notes) } }
  };
}
function withoutSecrets(core, text3) {
  return core.inUse.redactor?.text(text3) ?? text3;
}
function knownSecrets(secrets) {
  return Object.entries(secrets).map(([key, value]) => ({ key, value }));
}
function decode2(bytes) {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

// src/engine/run-scorer.ts
var limits2 = {
  exit_code: "scorerTimeoutMs",
  file_exists: "scorerTimeoutMs",
  regex_match: "scorerTimeoutMs",
  json_path: "scorerTimeoutMs",
  command: "commandScorerTimeoutMs",
  code_whale_verifier_prompt: "scorerTimeoutMs",
  manual: "scorerTimeoutMs"
};
async function runScorer(core, run, task, gone) {
  const { attempt } = task;
  const spec = task.spec.scorer;
  if (spec === void 0) return;
  const gathered = await inputOf(core, run, task, spec).catch((error) => ({
    problems: [`The scorer could not be prepared: ${String(error)}`]
  }));
  if (gone.aborted) return;
  const found = "problems" in gathered ? broken(gathered.problems.join("\n")) : await verdictOf(core, gathered, gone);
  if (gone.aborted) return;
  const verdict2 = redactVerdict(core, found);
  const kept = await keepEvidence(core.store.blobs, run.header.id, verdict2.evidence);
  core.turns.report((context) => {
    const current = core.state.runs.get(run.header.id);
    const now = current?.tasks.get(task.id);
    if (current === void 0 || now?.status !== "verifying" || now.attempt !== attempt) return nothing();
    return verdictReached(context, current, now, verdict2, kept);
  });
}
async function inputOf(core, run, task, scorer) {
  const { id, workspace } = run.header;
  const { attempt, pending, spec, artifacts } = task;
  const prepared = await core.workspaces.prepare(withoutInputs(spec), workspace);
  if ("problems" in prepared) return prepared;
  const { root, environment } = prepared;
  const previous = await previousReceipts(core.store, run, task);
  return {
    scorer,
    root: pending?.evidenceRoot ?? root,
    exitCode: pending?.exitCode ?? void 0,
    attempt: {
      key: { run_id: id, task_id: task.id, attempt },
      worker: task.worker ?? "",
      task: spec,
      folder: core.folderOf(id, task.id, attempt),
      environment,
      confined: pending?.confined,
      output: pending?.output ?? void 0,
      artifacts,
      previous
    }
  };
}
function withoutInputs(task) {
  if (task.workspace === void 0 && task.input_files.length === 0) return task;
  return { ...task, input_files: [], ...task.workspace && { workspace: { ...task.workspace, required_files: [] } } };
}
async function verdictOf(core, input, gone) {
  const limitMs = core.defaults[limits2[input.scorer.kind]];
  const limit2 = new AbortController();
  const disarm = core.deadlines.after(limitMs, () => limit2.abort());
  const signal = AbortSignal.any([limit2.signal, gone]);
  const late = `The scorer took longer than ${limitMs / 1e3} s.`;
  const scorer = core.scorers[input.scorer.kind];
  try {
    if (!scorer.effect) return scorer.score(input);
    const scored2 = scorer.score(input, { signal });
    if (scorer.endsByItself !== true) return await Promise.race([scored2, aborted(signal).then(() => broken(late))]);
    const verdict2 = await scored2;
    return limit2.signal.aborted ? broken(`${late}
${verdict2.evidence}`) : verdict2;
  } catch (error) {
    return broken(limit2.signal.aborted ? late : `The scorer failed: ${String(error)}`);
  } finally {
    disarm();
  }
}
function aborted(signal) {
  return new Promise((resolve4) => {
    if (signal.aborted) resolve4();
    else signal.addEventListener("abort", () => resolve4(), { once: true });
  });
}
function broken(evidence) {
  return { result: "fail", failureKind: "verifier", score: { value: 0, max: 1 }, evidence };
}

// src/engine/incarnation.ts
function recordIncarnation(core, worker) {
  if (worker.status === "retired") return;
  const { id } = worker.facts;
  const known3 = core.state.workers.get(id);
  if (known3?.incarnation === worker.incarnation && known3.draining === worker.draining && !known3.retired) return;
  core.turns.report(
    () => just({
      on: "fleet",
      kind: "worker.registered",
      record: {
        ...{ id, incarnation: worker.incarnation, draining: worker.draining, retired: false },
        ...worker.transport.dialsIn === true && { dialsIn: true }
      }
    })
  );
}

// src/engine/stop-reason.ts
function stopReason(entry) {
  const status = entry.set?.status;
  const reason = entry.receipt?.evidence ?? entry.set?.cause ?? entryEventText(entry);
  if (status === "cancelled") return { code: "task_cancelled", reason };
  if (entry.set?.overBudget === null) return { code: "budget_exceeded", reason };
  if (entry.receipt?.result === "timeout") return { code: "task_timeout", reason };
  if (entry.events?.some((event) => event.state === "stale") === true) return { code: "task_stale", reason };
  return { code: reason in errorCodes ? reason : "lease_lost", reason };
}
function entryEventText(entry) {
  const interrupted = entry.events?.find((event) => event.state === "interrupted");
  return interrupted?.state === "interrupted" ? interrupted.signal ?? "interrupted" : "The lease was revoked.";
}

// src/engine/stopping.ts
var stopRepeats = 5;
var stopMarginMs = 1e3;
function createStopping(core, workers) {
  function stopAttempt(run, entry) {
    const task = entry.task ?? "";
    const attempt = entry.attempt ?? 0;
    const presence = core.presence.get(run.header.id, task, attempt);
    if (presence === void 0) return;
    if (presence.place === void 0) {
      core.presence.end(run.header.id, task, attempt);
      core.turns.nudge();
      return;
    }
    core.presence.linger(presence);
    const { code: code2, reason } = stopReason(entry);
    stop(presence.worker, { run_id: run.header.id, task_id: task, attempt }, code2, reason);
    core.deadlines.after(core.defaults.stopGraceMs + stopMarginMs, () => writeOff(presence.worker, run.header.id, task, attempt));
  }
  function handBack2(run, entry) {
    const key = { run_id: run.header.id, task_id: entry.task ?? "", attempt: entry.attempt ?? 0 };
    const presence = core.presence.get(key.run_id, key.task_id, key.attempt);
    if (presence?.place === void 0 || presence.lingering) return;
    const reason = entry.set?.overBudget?.reason ?? "";
    workers.get(presence.worker)?.channel?.send({ type: "hand_back", ...key, reason, grace_ms: core.defaults.handBackGraceMs });
  }
  function writeOff(workerId2, run, task, attempt) {
    if (core.presence.end(run, task, attempt) === void 0) return;
    const worker = workers.get(workerId2);
    if (worker !== void 0) {
      worker.abandoned.add(attemptId({ run_id: run, task_id: task, attempt }));
      worker.incarnation = core.ids.next("inc");
      recordIncarnation(core, worker);
      if (worker.transport.heartbeats === "fleet") {
        workers.step(worker, { type: "recover", leases: core.state.holdings.get(workerId2) ?? 0, draining: worker.draining });
      } else askAgain(worker, { run_id: run, task_id: task, attempt }, stopRepeats);
    }
    core.announce({
      cursor: "",
      event: "worker.abandoned",
      run_id: run,
      task_id: task,
      worker_id: workerId2,
      attempt,
      timestamp: new Date(core.clock.now()).toISOString(),
      payload: { reason: "It did not end after it was told to stop." }
    });
    core.turns.nudge();
  }
  function askAgain(worker, key, times) {
    if (times === 0) return;
    core.deadlines.after(core.defaults.leaseTtlMs, () => {
      if (!worker.abandoned.has(attemptId(key))) return;
      stop(worker.facts.id, key, "lease_lost", "The end of this attempt was not confirmed.");
      askAgain(worker, key, times - 1);
    });
  }
  function stop(worker, key, code2, reason) {
    workers.get(worker)?.channel?.send({ type: "stop", ...key, code: code2, reason, grace_ms: core.defaults.stopGraceMs });
  }
  return { stopAttempt, handBack: handBack2, stop };
}

// src/engine/effects.ts
function createEffects(core, workers, watch, alerts) {
  const chains = /* @__PURE__ */ new Map();
  const passedOver = /* @__PURE__ */ new Map();
  const scoring = /* @__PURE__ */ new Map();
  const closing = new AbortController();
  const stopping = createStopping(core, workers);
  const parts2 = { core, workers, signal: closing.signal };
  const handlers = {
    "worker.start": start,
    "worker.stop": stopAttempt,
    "worker.hand_back": stopping.handBack,
    "scorer.run": (run, entry) => score(run.header.id, entry.task ?? "", entry.attempt ?? 0),
    "alert.send": (run, entry) => alerts.perform(run, entry)
  };
  function perform(run, entry) {
    const mayConcern = entry.set?.status !== void 0 && passedOver.size + scoring.size > 0;
    if (entry.effects === void 0 && !mayConcern) return;
    const key = `${run.header.id}/${entry.task ?? ""}/${entry.attempt ?? 0}`;
    if (mayConcern) {
      passedOver.delete(key);
      scoring.get(key)?.abort();
    }
    for (const kind of entry.effects ?? []) {
      if (apart.has(kind)) void handlers[kind](run, entry);
      else inOrder(key, () => handlers[kind](run, entry));
    }
  }
  function stopAttempt(run, entry) {
    passedOver.delete(`${run.header.id}/${entry.task ?? ""}/${entry.attempt ?? 0}`);
    stopping.stopAttempt(run, entry);
  }
  function passOver2(run, entry) {
    const { id } = run.header;
    passedOver.set(`${id}/${entry.task ?? ""}/${entry.attempt ?? 0}`, () => {
      const live = liveTask(core, id, entry.task ?? "", entry.attempt ?? 0);
      if (live !== void 0) perform(live.run, entry);
    });
  }
  function inOrder(key, act) {
    const before = chains.get(key);
    const outcome = before === void 0 ? act() : before.then(act);
    if (!(outcome instanceof Promise)) return;
    const chain = outcome.finally(() => {
      if (chains.get(key) === chain) chains.delete(key);
    });
    chains.set(key, chain);
  }
  function start(run, entry) {
    const attempt = entry.attempt ?? 0;
    const live = liveTask(core, run.header.id, entry.task ?? "", attempt);
    if (live === void 0 || live.task.worker === null) {
      passOver2(run, entry);
      return;
    }
    const { task } = live;
    const at = core.deadlines.leaseNow();
    const presence = core.presence.begin({
      run: run.header.id,
      task: task.id,
      attempt,
      worker: live.task.worker,
      deadline: at + core.defaults.leaseTtlMs,
      lastHeardAt: core.clock.now(),
      lastProgress: at
    });
    watch.watch(presence);
    if (overBudgetOf(run, task, core.clock.now()) !== void 0) {
      refuseStart(run, task, attempt, { cause: "task", reason: "It was not begun.", final: true });
      return;
    }
    const gathered = gatherAssignment(parts2, run, task);
    if (!(gathered instanceof Promise)) return handOver(run, task, entry, gathered);
    return gathered.then((found) => handOver(run, task, entry, found)).catch(
      (error) => (
        // A store or a disk that cannot be read fails the attempt, never the fleet (SC4).
        refuseStart(run, task, attempt, {
          cause: "transport",
          reason: withoutSecrets(core, `The attempt could not be prepared: ${String(error)}`),
          final: false
        })
      )
    );
  }
  function handOver(run, task, entry, gathered) {
    const attempt = entry.attempt ?? 0;
    if ("problems" in gathered) {
      refuseStart(run, task, attempt, { cause: "task", reason: gathered.problems.join("\n"), final: true });
      return;
    }
    const presence = core.presence.get(run.header.id, task.id, attempt);
    if (presence === void 0 || liveTask(core, run.header.id, task.id, attempt) === void 0) {
      core.presence.end(run.header.id, task.id, attempt);
      passOver2(run, entry);
      core.turns.nudge();
      return;
    }
    const { prepared, previous, dependencies, secrets } = gathered;
    const left2 = budgetLeft(run, task, task.leasedAt ?? core.clock.now());
    const place = {
      run_id: run.header.id,
      task_id: task.id,
      attempt,
      folder: core.folderOf(run.header.id, task.id, attempt),
      root: prepared.root
    };
    presence.place = place;
    const { level, confined } = workers.termsOf(task, presence.worker);
    if (secrets !== void 0) presence.forgetSecrets = core.inUse.use(knownSecrets(secrets));
    workers.get(presence.worker)?.channel?.send({
      type: "assign",
      ...place,
      task: task.spec,
      previous,
      dependencies,
      environment: prepared.environment,
      ...left2 !== void 0 && { budget_left: left2 },
      ...secrets !== void 0 && { secrets },
      allow_parallel_reads: run.header.security_policy?.allow_parallel_reads ?? false,
      trust_level: level,
      ...confined !== void 0 && { confined }
    });
  }
  function refuseStart(run, task, attempt, failure) {
    core.presence.end(run.header.id, task.id, attempt);
    core.turns.report((context) => {
      const found = liveTask(core, run.header.id, task.id, attempt);
      if (found === void 0) return nothing();
      return failAttempt(context, found.run, found.task, { ...failure, stillRunning: false });
    });
  }
  function score(runId2, taskId, attempt) {
    const run = core.state.runs.get(runId2);
    const task = run?.tasks.get(taskId);
    const key = `${runId2}/${taskId}/${attempt}`;
    if (run !== void 0 && task?.status === "verifying" && task.attempt === attempt) {
      const stop = new AbortController();
      scoring.set(key, stop);
      const gone = joinSignals([stop.signal, closing.signal]);
      return runScorer(core, run, task, gone.signal).finally(() => {
        gone[Symbol.dispose]();
        scoring.delete(key);
      });
    }
    passedOver.set(key, () => {
      const now = core.state.runs.get(runId2)?.tasks.get(taskId);
      if (now?.status === "verifying" && now.attempt === attempt) inOrder(key, () => score(runId2, taskId, attempt));
    });
  }
  return {
    perform,
    again() {
      const before = [...passedOver.values()];
      passedOver.clear();
      for (const act of before) act();
    },
    score: (run, task) => inOrder(`${run.header.id}/${task.id}/${task.attempt}`, () => score(run.header.id, task.id, task.attempt)),
    stop: stopping.stop,
    async idle() {
      while (chains.size > 0) await Promise.all(chains.values());
    },
    close: () => closing.abort()
  };
}
var apart = /* @__PURE__ */ new Set(["alert.send"]);

// src/engine/snapshot.ts
var tasksPerShard = 500;
function snapshotSource(run, through) {
  return { seq: run.seq, shards: shardsOf(run), through };
}
function fleetSnapshotSource(state, through) {
  const seq = state.fleetSeq;
  const records = () => [...state.workers.values()].map((worker) => ({ key: `worker:${worker.id}`, seq, value: worker }));
  return { seq, shards: [{ seq, records }], through };
}
function* shardsOf(run) {
  yield { seq: run.seq, records: () => [runRecord(run)] };
  const tasks = [...run.tasks.values()];
  for (let from = 0; from < tasks.length; from += tasksPerShard) {
    const some = tasks.slice(from, from + tasksPerShard);
    yield {
      seq: some.reduce((most, task) => Math.max(most, task.seq), 0),
      records: () => {
        const fields2 = recorded(some[0]);
        return some.map((task) => taskRecord(run, task, fields2));
      }
    };
  }
}
function runRecord(run) {
  const { header, status, pausedFrom, updatedAt, completedAt, opened, sealed, overBudget: overBudget2, lastAt } = run;
  const own = {
    ...{ header, status, pausedFrom, updatedAt, completedAt, opened, sealed, lastAt, posted: [...run.posted] },
    ...overBudget2 !== null && { overBudget: overBudget2 }
  };
  return { key: "run", seq: run.seq, value: own };
}
var derived = /* @__PURE__ */ new Set(["index", "openDependencies", "policy", "version", "workerSeqs"]);
function recorded(task) {
  return Object.keys(task ?? {}).filter((field) => !derived.has(field));
}
function taskRecord(run, task, fields2) {
  const blank = createTaskState(run, task.spec, { by: 0, at: 0 });
  const value = { spec: task.spec };
  for (const field of fields2) if (task[field] !== blank[field]) value[field] = task[field];
  if (task.workerSeqs.length > 0) value["workerSeqs"] = Object.fromEntries(task.workerSeqs);
  return { key: `task:${task.id}`, seq: task.seq, value };
}

// src/engine/fleet-snapshots.ts
function createFleetSnapshots(store, state, durable) {
  let savedSeq = 0;
  return {
    async keep() {
      const seq = state.fleetSeq;
      if (seq === savedSeq) return;
      const through = async () => {
        const last = state.fleetSeq;
        return await durable() ? last : void 0;
      };
      const isSaved = await store.saveSnapshot(fleetStream, fleetSnapshotSource(state, through)).then(
        () => true,
        () => false
      );
      if (isSaved) savedSeq = seq;
    }
  };
}

// src/engine/lingering-gates.ts
function keepLingeringGates(state, presence) {
  const kept = /* @__PURE__ */ new Map();
  presence.onLinger((attempt, lingers) => {
    const { run, task, attempt: number } = attempt;
    const holder = { run, task, attempt: number };
    if (lingers) {
      const gates2 = state.runs.get(run)?.tasks.get(task)?.gates ?? null;
      if (gates2 === null) return;
      kept.set(attempt, gates2);
      state.gates.hold(holder, gates2);
      return;
    }
    const gates = kept.get(attempt);
    if (gates === void 0) return;
    kept.delete(attempt);
    state.gates.release(holder, gates);
  });
}

// src/engine/presence.ts
function createPresence() {
  const attempts = /* @__PURE__ */ new Map();
  const perRun = /* @__PURE__ */ new Map();
  const lingering = /* @__PURE__ */ new Map();
  const endListeners = /* @__PURE__ */ new Set();
  const lingerListeners = /* @__PURE__ */ new Set();
  function linger(attempt, lingers = true) {
    if (attempt.lingering === lingers) return;
    attempt.lingering = lingers;
    lingering.set(attempt.worker, (lingering.get(attempt.worker) ?? 0) + (lingers ? 1 : -1));
    for (const listener of lingerListeners) listener(attempt, lingers);
  }
  const key = (run, task, attempt) => `${run}/${task}/${attempt}`;
  return {
    get: (run, task, attempt) => attempts.get(key(run, task, attempt)),
    begin(facts) {
      const { run, task, attempt: number, worker, deadline, lastHeardAt, lastProgress } = facts;
      const attempt = {
        run,
        task,
        attempt: number,
        worker,
        deadline,
        lastHeardAt,
        lastProgress,
        place: void 0,
        calls: void 0,
        logged: false,
        redaction: void 0,
        forgetSecrets: void 0,
        lingering: false,
        watches: { lease: void 0, stall: void 0, timeout: void 0, budget: void 0 }
      };
      attempts.set(key(run, task, number), attempt);
      perRun.set(run, (perRun.get(run) ?? 0) + 1);
      return attempt;
    },
    end(run, task, attempt) {
      const found = attempts.get(key(run, task, attempt));
      if (found === void 0) return void 0;
      attempts.delete(key(run, task, attempt));
      const left2 = (perRun.get(run) ?? 1) - 1;
      if (left2 > 0) perRun.set(run, left2);
      else perRun.delete(run);
      const { lease: lease2, stall, timeout, budget } = found.watches;
      lease2?.();
      stall?.();
      timeout?.();
      budget?.();
      found.forgetSecrets?.();
      linger(found, false);
      for (const listener of endListeners) listener(found);
      return found;
    },
    ofRun: (run) => perRun.get(run) ?? 0,
    lingering: (worker) => lingering.get(worker) ?? 0,
    linger,
    onLinger(listener) {
      lingerListeners.add(listener);
    },
    all: () => attempts.values(),
    onEnd(listener) {
      endListeners.add(listener);
      return () => endListeners.delete(listener);
    },
    get size() {
      return attempts.size;
    }
  };
}

// src/engine/reports.ts
function createReports(core, workers, effects, use) {
  const chains = /* @__PURE__ */ new Map();
  let late = 0;
  function take(worker, said) {
    const message = redactReport(core, said);
    if (worker.status === "unhealthy") recover(worker);
    const presence = core.presence.get(message.run_id, message.task_id, message.attempt);
    if (presence === void 0 || presence.worker !== worker.facts.id) {
      unexpected(worker, message);
      return;
    }
    touch(presence, message);
    const isRepeated = isRepeat(presence, message);
    if (isRepeated && message.type !== "artifact") return;
    const chain = chains.get(presence);
    const outcome = chain === void 0 ? handle(worker, presence, message, isRepeated) : chain.then(() => handle(worker, presence, message, isRepeated));
    if (!(outcome instanceof Promise)) return;
    const next = outcome.finally(() => {
      if (chains.get(presence) === next) chains.delete(presence);
    });
    chains.set(presence, next);
  }
  function touch(presence, message) {
    const now = core.deadlines.leaseNow();
    presence.deadline = now + core.defaults.leaseTtlMs;
    presence.lastHeardAt = core.clock.now();
    if (message.type !== "heartbeat") presence.lastProgress = now;
  }
  function isRepeat({ run, task, attempt }, { seq }) {
    if (seq === void 0) return false;
    const heard = core.state.runs.get(run)?.tasks.get(task)?.heard;
    return heard?.attempt === attempt && seq <= heard.seq;
  }
  function handle(worker, presence, message, isRepeated) {
    const { run_id, task_id, attempt } = message;
    switch (message.type) {
      case "heartbeat":
        if (presence.lingering) return;
        announceHeartbeat(core, presence, message);
        if (liveOf(message)?.task.status === "starting") accepted({ type: "accepted", run_id, task_id, attempt });
        return;
      case "accepted":
        return accepted(message);
      case "progress":
        return progressed(message, isNewCall(presence, message.event));
      case "usage":
        return spent(message);
      case "route":
        return route(presence, message);
      case "log":
        presence.logged = true;
        return log(presence, redactLog(core, presence, message.text));
      case "artifact":
        return collect(worker, presence, message, isRepeated);
      case "result":
      case "failed":
      case "stopped":
        return end(worker, presence, message);
    }
  }
  function liveOf({ run_id, task_id, attempt }) {
    return liveTask(core, run_id, task_id, attempt);
  }
  function accepted(message) {
    core.turns.report((context) => {
      const found = liveOf(message);
      return found === void 0 ? nothing() : noting(message, accept(context, found.run, found.task, message));
    });
  }
  function progressed(message, newCall) {
    core.turns.report((context) => {
      const found = liveOf(message);
      return found === void 0 ? nothing() : noting(message, progress(context, found.run, found.task, message, newCall));
    });
  }
  function spent(message) {
    core.turns.report((context) => {
      const run = core.state.runs.get(message.run_id);
      const task = run?.tasks.get(message.task_id);
      return run === void 0 || task === void 0 ? nothing() : noting(message, spend(context, run, task, message));
    });
  }
  function route(presence, message) {
    const reading = RouteReport.read(message.route);
    if (!reading.ok) {
      presence.logged = true;
      return log(presence, `${invalidDocument("the route", reading.problems).message}
The route was not taken.
`);
    }
    core.turns.report((context) => {
      const found = liveTask(core, presence.run, presence.task, presence.attempt);
      return found === void 0 ? nothing() : noting(message, noteRoute(context, found.run, found.task, reading.value));
    });
  }
  function log(presence, text3) {
    return presence.place === void 0 ? void 0 : core.collector.log(presence.place, text3).catch(() => void 0);
  }
  async function collect(worker, presence, message, isRepeated) {
    const { run_id, task_id, attempt, report } = message;
    const key = { run_id, task_id, attempt };
    if (presence.place === void 0) return;
    let artifact;
    try {
      artifact = redactArtifact(core, await core.collector.collect(presence.place, message));
    } catch (error) {
      const reason = FleetError.is(error) ? error.message : `The artifact could not be collected: ${String(error)}`;
      worker.channel?.send({ type: "collected", ...key, report, refused: withoutSecrets(core, reason) });
      return;
    }
    if (!isRepeated) core.turns.report((context) => noting(message, recorded2(context, presence, artifact)));
    worker.channel?.send({ type: "collected", ...key, report, artifact });
  }
  function recorded2(context, presence, artifact) {
    const run = core.state.runs.get(presence.run);
    const task = run?.tasks.get(presence.task);
    if (run === void 0 || task === void 0) return nothing();
    return recordArtifact(context, run, task, presence.attempt, presence.worker, artifact);
  }
  function end(worker, presence, message) {
    if (!presence.logged || presence.place === void 0) ended2(worker, presence, message, void 0);
    else {
      return finishLog(presence, presence.place).then(
        (kept) => ended2(worker, presence, message, kept),
        (error) => ended2(worker, presence, withoutLog(message, error), void 0)
      );
    }
  }
  async function finishLog(presence, place) {
    const rest = restOfLog(presence);
    if (rest !== "") await log(presence, rest);
    return core.collector.finish(place);
  }
  function ended2(worker, presence, message, log2) {
    core.presence.end(presence.run, presence.task, presence.attempt);
    core.turns.report((context) => {
      const found = liveTask(core, presence.run, presence.task, presence.attempt);
      if (found !== void 0) return endOf(context, found, { worker: presence.worker, message, log: log2 });
      if (message.type !== "stopped") late += 1;
      return log2 === void 0 ? nothing() : recorded2(context, presence, log2);
    });
    workers.settle(worker);
  }
  function unexpected(worker, message) {
    if (message.type === "stopped" || message.type === "result" || message.type === "failed") {
      worker.abandoned.delete(attemptId(message));
      if (message.type !== "stopped") late += 1;
      core.turns.nudge();
      return;
    }
    late += 1;
    if (message.type === "usage") spendLate(worker, message);
    const { run_id, task_id, attempt } = message;
    effects.stop(worker.facts.id, { run_id, task_id, attempt }, "lease_lost", "This attempt does not hold the lease of its task.");
  }
  function spendLate(worker, message) {
    const { run_id, task_id } = message;
    const report = () => core.turns.report((context) => {
      const run = core.state.runs.get(run_id);
      const task = run?.tasks.get(task_id);
      if (run === void 0 || task === void 0) return nothing();
      const had = seqOf(task.workerSeqs, worker.facts.id) > 0 && message.attempt <= task.attempt;
      return had ? spend(context, run, task, message) : nothing();
    });
    if (core.state.runs.has(run_id)) report();
    else void use(run_id, async () => report()).catch(() => void 0);
  }
  function recover(worker) {
    workers.step(worker, { type: "recover", leases: core.state.holdings.get(worker.facts.id) ?? 0, draining: worker.draining });
    core.turns.nudge();
  }
  return {
    take,
    async taken() {
      await Promise.all(chains.values());
    },
    async idle() {
      while (chains.size > 0) await Promise.all(chains.values());
    },
    get late() {
      return late;
    }
  };
}
function endOf(context, { run, task }, { worker, message, log }) {
  if (message.type === "result") return finish(context, run, task, message, log);
  if (message.type === "failed") return fail(context, run, task, message, log);
  if (message.released !== void 0) return giveBack(context, { run, task }, message.released, { worker, log });
  return failAttempt(context, run, task, {
    cause: "transport",
    reason: "The host stopped the attempt.",
    final: false,
    artifacts: log === void 0 ? [] : [log],
    stillRunning: false
  });
}
function* giveBack(context, { run, task }, reason, { worker, log }) {
  if (log !== void 0) yield* recordArtifact(context, run, task, task.attempt, worker, log);
  yield* releaseAttempt(context, run, task, { reason, crash: false, stillRunning: false });
}
function* noting({ attempt, seq }, decision) {
  let heard = seq === void 0 ? void 0 : { attempt, seq };
  for (const draft of decision) {
    yield heard === void 0 ? draft : { ...draft, set: { ...draft.set, heard } };
    heard = void 0;
  }
}
function isNewCall(presence, event) {
  if (event.state !== "running_tool") return false;
  if (event.call_id === void 0) return true;
  if (presence.calls?.has(event.call_id) === true) return false;
  presence.calls = (presence.calls ?? /* @__PURE__ */ new Set()).add(event.call_id);
  return true;
}
function withoutLog(message, cause) {
  const note = `The log of the attempt could not be kept: ${cause instanceof Error ? cause.message : String(cause)}`;
  const told3 = (text3) => text3 === void 0 ? note : `${text3}
${note}`;
  if (message.type === "result") return { ...message, summary: told3(message.summary) };
  if (message.type === "failed") return { ...message, reason: told3(message.reason) };
  return message.released === void 0 ? message : { ...message, released: told3(message.released) };
}

// src/engine/stalls.ts
function stalledTasks(run, workers) {
  const { counts } = run;
  if (run.working > 0 || counts.enqueued + counts.blocked === 0) return [];
  if (!run.carried || run.status !== "queued" && run.status !== "running") return [];
  if (counts.verifying > 0 || counts.backoff > 0) return [];
  if (run.ready.some((requirement) => workers.matching(requirement).length > 0)) return [];
  const enqueued = [];
  const blocked = [];
  for (const task of run.tasks.values()) {
    if (awaitsVerdict(task)) return [];
    if (task.status === "enqueued") enqueued.push(task.id);
    else if (task.status === "blocked") blocked.push(task.id);
  }
  return enqueued.length > 0 ? enqueued : blocked;
}
function createStallWatch(core, workers) {
  const raised = /* @__PURE__ */ new Set();
  let isOpen = false;
  function look(run) {
    if (!isOpen) return;
    const waiting = stalledTasks(run, workers);
    const { id } = run.header;
    if (waiting.length === 0) {
      raised.delete(id);
      return;
    }
    if (raised.has(id)) return;
    raised.add(id);
    core.announce({
      cursor: core.liveCursor(run),
      event: "run.stalled",
      run_id: id,
      timestamp: instant(core.clock.now()),
      payload: { waiting }
    });
  }
  return {
    look,
    opened() {
      isOpen = true;
      const lookAgain = () => core.state.runs.forEach(look);
      for (const run of core.state.runs.values())
        if (stalledTasks(run, workers).length > 0) return void core.clock.alarm(0, lookAgain, { keepAlive: false });
    }
  };
}

// src/engine/store-watch.ts
var firstWaitMs = 50;
var longestWaitMs = 5e3;
function createStoreWatch(core, hooks) {
  const { clock } = core;
  let failing;
  let fenced;
  const patience = new AbortController();
  async function restore(runs, error) {
    if (error.code === "store_conflict") fenced = error;
    const now = failing ??= begin(error);
    now.restoring = true;
    core.deadlines.hold();
    const stored = /* @__PURE__ */ new Map();
    const carried = new Map([...runs].map((id) => [id, core.state.runs.get(id)?.carried ?? true]));
    for (; ; ) {
      if (fenced === void 0 && now.told)
        await clock.sleep(Math.min(longestWaitMs, firstWaitMs * 2 ** now.tries), { keepAlive: true, signal: patience.signal });
      if (patience.signal.aborted) fenced ??= closedWhileFailing(error);
      now.tries += 1;
      try {
        for (const id of runs) {
          const before = core.state.runs.get(id);
          if (before !== void 0) forget(core.state, before);
          stored.set(id, await hooks.reload(id, carried.get(id) ?? true));
        }
        break;
      } catch {
        if (!now.told) core.announce(liveEvent("store.failing", { reason: error.message }));
        now.told = true;
      }
      if (fenced !== void 0) break;
    }
    for (const attempt of core.presence.all()) core.presence.linger(attempt, !isLive2(attempt));
    core.deadlines.goOn();
    now.restoring = false;
    return stored;
  }
  function begin(error) {
    const told3 = error.code !== "run_exists";
    if (told3) core.announce(liveEvent("store.failing", { reason: error.message }));
    return { tries: 0, restoring: true, told: told3 };
  }
  function isLive2(attempt) {
    const task = core.state.runs.get(attempt.run)?.tasks.get(attempt.task);
    return task !== void 0 && task.attempt === attempt.attempt && isWorking(task.status);
  }
  function liveEvent(event, payload) {
    return { cursor: "", event, run_id: "", timestamp: instant(clock.now()), payload };
  }
  return {
    refusing() {
      if (fenced !== void 0) return fenced;
      if (failing?.restoring !== true) return void 0;
      return new FleetError(
        "store_failing",
        "The store cannot be written at the moment, so nothing was changed. Try again shortly."
      );
    },
    restore,
    giveUp: () => patience.abort(),
    working() {
      if (failing === void 0) return;
      const { told: told3 } = failing;
      failing = void 0;
      if (told3) core.announce(liveEvent("store.recovered", {}));
    }
  };
}
function closedWhileFailing(cause) {
  return new FleetError("fleet_closed", `The fleet was closed while its store was failing: ${cause.message}`, { cause });
}

// src/engine/recovery.ts
function recoverRun(core, run, parts2) {
  parts2.alerts.recover(run);
  return inSlices(recovering(core, run, parts2), core.clock);
}
function* recovering(core, run, { workers, effects, watch }) {
  const until = run.lastAt;
  for (const task of run.tasks.values()) {
    if (isWorking(task.status) && !isAlive(core, run, task.id, task.attempt)) {
      if (task.worker !== null && mayLive(core, workers, task.worker)) awaitReport(core, run, task, task.worker, watch);
      else release(core, run, task, until);
    } else if (task.status === "verifying") effects.score(run, task);
    watch.arm(run, task);
    yield;
  }
}
function mayLive({ state }, workers, id) {
  return workers.get(id)?.transport.survives ?? state.workers.get(id)?.dialsIn === true;
}
function awaitReport(core, run, task, worker, watch) {
  const key = { run_id: run.header.id, task_id: task.id, attempt: task.attempt };
  const now = core.deadlines.leaseNow();
  const presence = core.presence.begin({
    run: run.header.id,
    task: task.id,
    attempt: task.attempt,
    worker,
    deadline: now + core.defaults.leaseTtlMs,
    lastHeardAt: core.clock.now(),
    lastProgress: now
  });
  presence.place = { ...key, folder: core.folderOf(run.header.id, task.id, task.attempt), root: run.header.workspace };
  watch.watch(presence);
}
function release(core, run, { id, attempt }, until) {
  core.turns.report((context) => {
    const found = liveTask(core, run.header.id, id, attempt);
    if (found === void 0) return nothing();
    return releaseAttempt(context, found.run, found.task, {
      reason: "the fleet restarted",
      crash: true,
      stillRunning: false,
      until
    });
  });
}
function isAlive(core, run, task, attempt) {
  return core.presence.get(run.header.id, task, attempt) !== void 0;
}

// src/protocol/run.ts
import { z as z9 } from "zod";

// src/protocol/dependencies.ts
function* checkingDependencies(tasks, knownIds, under) {
  const at = (...path) => [under, ...path];
  const indexOf = /* @__PURE__ */ new Map();
  const problems = [];
  for (const [index, { id }] of tasks.entries()) {
    if (id === void 0) continue;
    if (indexOf.has(id) || knownIds?.has(id))
      problems.push({ path: at(index, "id"), expected: "an id of its own", got: `${quote(id)} again` });
    else indexOf.set(id, index);
    yield;
  }
  for (const [index, { id, depends_on }] of tasks.entries()) {
    for (const [place, other] of depends_on.entries()) {
      if (other === void 0) continue;
      const path = at(index, "depends_on", place);
      if (other === id) problems.push({ path, expected: "the id of another task", got: `${quote(id)} itself` });
      else if (!indexOf.has(other) && !knownIds?.has(other)) {
        problems.push({ path, expected: "the id of a task of the run", got: describeFound(other, path) });
      }
    }
    yield;
  }
  if (tasks.every(({ depends_on }) => depends_on.length === 0)) return problems;
  for (const cycle of yield* findingCycles(tasks, indexOf)) {
    const got = cycle.map((index) => tasks[index].id).join(" \u2192 ");
    problems.push({ path: at(cycle[0], "depends_on"), expected: "no cycle", got });
  }
  return problems;
}
function* findingCycles(tasks, indexOf) {
  const found = [];
  const place = /* @__PURE__ */ new Map();
  const done = /* @__PURE__ */ new Set();
  for (const start of tasks.keys()) {
    if (done.has(start)) continue;
    const path = [];
    const enter = (task) => {
      place.set(task, path.length);
      path.push({ task, next: 0, closed: false });
    };
    enter(start);
    for (let step = path.at(-1); step !== void 0; step = path.at(-1)) {
      yield;
      const { depends_on } = tasks[step.task];
      const id = depends_on[step.next++];
      if (step.next > depends_on.length) {
        done.add(step.task);
        place.delete(step.task);
        path.pop();
        continue;
      }
      const other = id === void 0 ? void 0 : indexOf.get(id);
      if (other === void 0 || other === step.task || done.has(other)) continue;
      const from = place.get(other);
      if (from === void 0) enter(other);
      else if (!step.closed) {
        step.closed = true;
        found.push([...path.slice(from).map(({ task }) => task), other]);
      }
    }
  }
  return found;
}

// src/protocol/run-check.ts
function checkRun(tasksField) {
  return refineRun((run) => [
    ...allAtOnce(checkingTasks(run[tasksField], { roles: run["roles"], under: tasksField })),
    ...workerProblems(run)
  ]);
}
function refineRun(problemsOf6) {
  return (run, context) => {
    if (isRecord(run)) for (const problem of problemsOf6(run)) addProblem(context, problem);
  };
}
function* checkingTasks(tasks, {
  knownIds,
  roles,
  under
}) {
  const records = recordsOf(tasks);
  const dependent = [];
  for (const record of records) {
    dependent.push(asDependent(record));
    yield;
  }
  return [...yield* checkingDependencies(dependent, knownIds, under), ...yield* checkingRoles(records, roles, under)];
}
function workerProblems(run) {
  const seen = /* @__PURE__ */ new Set();
  return recordsOf(run["worker_specs"]).flatMap(({ id }, index) => {
    if (typeof id !== "string") return [];
    if (seen.has(id)) return [{ path: ["worker_specs", index, "id"], expected: "an id of its own", got: `${quote(id)} again` }];
    seen.add(id);
    return [];
  });
}
function addProblem(context, { path, expected: expected2, got }) {
  context.addIssue({ code: "custom", path: [...path], message: expected2, params: { got } });
}
function recordsOf(value) {
  return Array.isArray(value) ? value.map((item) => isRecord(item) ? item : {}) : [];
}
function asDependent(task) {
  const ids = Array.isArray(task["depends_on"]) ? task["depends_on"] : [];
  return { id: asText(task["id"]), depends_on: ids.map(asText) };
}
function asText(value) {
  return typeof value === "string" ? value : void 0;
}
function* checkingRoles(tasks, roles, tasksField) {
  const problems = [];
  if (!Array.isArray(roles)) return problems;
  const allowed = new Set(roles);
  const expected2 = roles.length === 0 ? "no role, as the run has none" : `one of the run's roles ${roles.map(String).join(", ")}`;
  for (const [index, { worker }] of tasks.entries()) {
    const role = isRecord(worker) ? worker["role"] : void 0;
    const path = [tasksField, index, "worker", "role"];
    if (typeof role === "string" && !allowed.has(role)) problems.push({ path, expected: expected2, got: describeFound(role, path) });
    yield;
  }
  return problems;
}

// src/protocol/worker.ts
import { z as z8 } from "zod";

// src/protocol/host.ts
import { z as z7 } from "zod";
var address = text('one word that does not begin with "-"', (value) => /^[^\s\p{Cc}-][^\s\p{Cc}]*$/u.test(value));
var host = () => z7.discriminatedUnion("kind", [
  object({ kind: z7.literal("local") }),
  object({
    kind: z7.literal("ssh"),
    host: address,
    port: optional(u16),
    user: optional(address),
    identity: optional(filePath),
    known_hosts: optional(filePath),
    /** Pins the host's key: `SHA256:…` (HO5). */
    host_key_fingerprint: optional(line),
    working_directory: optional(filePath),
    env_allowlist: list(variableName),
    codewhale_binary: optional(line),
    /** The worker program on the host, as argv; it wins over `codewhale_binary`. */
    command: sized(line, { minItems: 1 }).optional()
  }),
  object({ kind: z7.literal("docker"), image: address, args: list(z7.string()) })
]);
var FleetHostSpec = contract(
  "FleetHostSpec",
  () => alsoRead(host(), { container: "docker", Container: "docker" }, "kind")
);

// src/protocol/worker.ts
var FleetWorkerAuth = contract(
  "FleetWorkerAuth",
  () => z8.discriminatedUnion("method", [
    object({ method: z8.literal("none") }),
    object({
      method: z8.literal("ssh_key"),
      identity: filePath,
      known_hosts: optional(filePath),
      host_key_fingerprint: optional(line),
      user: optional(line)
    }),
    object({ method: z8.literal("token"), token_ref: FleetSecretRef.schema }),
    object({ method: z8.literal("mtls"), cert_path: filePath, key_ref: FleetSecretRef.schema })
  ])
);
var workerId = token.refine((id) => id !== reservedId, { error: `an id other than "${reservedId}", which is reserved` });
var FleetWorkerSpec = contract(
  "FleetWorkerSpec",
  () => object({
    id: workerId,
    name: displayName,
    host: FleetHostSpec.schema,
    trust_level: optional(FleetTrustLevel.schema),
    labels: map(z8.string()),
    capabilities: list(filled),
    max_concurrent_tasks: optional(atLeastOne),
    auth: optional(FleetWorkerAuth.schema)
  })
);
var FleetWorkerStatus = contract(
  "FleetWorkerStatus",
  () => z8.enum(["unknown", "online", "busy", "offline", "unhealthy", "draining", "retired"])
);

// src/protocol/run.ts
var FleetRunStatus = contract(
  "FleetRunStatus",
  () => z9.enum(["pending", "queued", "running", "paused", "completed", "failed", "cancelled"])
);
var FleetRunTarget = contract("FleetRunTarget", () => z9.enum(["this_computer", "another_computer", "cloud"]));
var FleetWorkflow = contract(
  "FleetWorkflow",
  () => object({ id: line, kind: z9.literal("parallel").default("parallel") })
);
var runId = token.refine((id) => id !== reservedId, { error: `an id other than "${reservedId}", which is reserved` });
var runOptions = () => ({
  worker_specs: list(FleetWorkerSpec.schema),
  labels: map(z9.string()),
  security_policy: optional(FleetSecurityPolicy.schema)
});
var runExtras = () => ({
  target: optional(FleetRunTarget.schema),
  workflow: optional(FleetWorkflow.schema),
  /** When given, every task's role is one of them. */
  roles: optional(z9.array(token)),
  /** Leases that the run may hold at once (SC1). */
  max_workers: optional(atLeastOne),
  /** Takes tasks after its creation, and ends only once it is sealed (RU3, RU8). */
  open: optional(flag),
  /** For what its tasks, their profiles and the presets of their roles leave open (SC3). */
  worker_defaults: optional(FleetTaskWorkerProfile.schema),
  /** Over all tasks of the run (BU3). */
  budget: optional(FleetTaskBudget.schema)
});
var FleetRun = contract(
  "FleetRun",
  () => object({
    id: runId,
    name: displayName,
    status: FleetRunStatus.schema,
    task_specs: list(FleetTaskSpec.schema),
    ...runOptions(),
    created_at: timestamp,
    updated_at: optional(timestamp),
    completed_at: optional(timestamp),
    ...runExtras()
  }).superRefine(checkRun("task_specs"), { when: () => true })
);

// src/engine/views.ts
var noTasks = {
  runs: 0,
  queued: 0,
  running: 0,
  completed: 0,
  partial: 0,
  failed: 0,
  restarted: 0,
  escalated: 0,
  transport_failed: 0,
  task_failed: 0,
  verifier_failed: 0,
  cancelled: 0,
  stale: 0
};
function addCounters(a, b) {
  return Object.fromEntries(
    Object.entries(a).map(([key, value]) => [key, value + b[key]])
  );
}
function countersOf(run) {
  const { counts, tally } = run;
  return {
    ...noTasks,
    ...tally,
    runs: 1,
    queued: counts.blocked + counts.backoff + counts.enqueued,
    running: counts.starting + counts.running + counts.verifying,
    completed: counts.completed,
    failed: counts.failed,
    cancelled: counts.cancelled
  };
}
function* writingSpec({ run, tasks }, whole) {
  const copy = yield* copyingJson(tasks.map((spec) => whole.get(spec.id) ?? spec));
  return { ...run, task_specs: copy.value };
}
function specOf(run) {
  const tasks = [];
  const short2 = [];
  for (const { id, spec, isShort, addedBy } of run.tasks.values()) {
    tasks.push(spec);
    if (isShort) short2.push({ id, isShort, addedBy });
  }
  return { run: wireRun(run), tasks, short: short2 };
}
function wireRun({ header, ...run }) {
  return FleetRun.parse({
    ...header.extra,
    id: header.id,
    name: header.name,
    status: run.status,
    target: header.target,
    workflow: header.workflow,
    roles: header.roles,
    max_workers: header.max_workers,
    worker_defaults: header.worker_defaults,
    budget: header.budget,
    open: header.open ? true : void 0,
    task_specs: [],
    worker_specs: header.worker_specs,
    labels: header.labels,
    security_policy: header.security_policy,
    created_at: instant(header.createdAt),
    updated_at: instant(run.updatedAt),
    completed_at: run.completedAt === null ? void 0 : instant(run.completedAt)
  });
}
function taskView(task) {
  return {
    id: task.id,
    name: task.spec.name,
    status: task.status,
    attempt: task.attempt,
    ...task.worker !== null && { worker: task.worker },
    ...task.result !== null && { result: task.result },
    depends_on: task.spec.depends_on ?? [],
    ...task.notBefore !== null && { not_before: instant(task.notBefore) },
    ...task.leasedAt !== null && { leased_at: instant(task.leasedAt) },
    ...task.endedAt !== null && { ended_at: instant(task.endedAt) },
    ...task.cause !== null && { cause: task.cause },
    ...awaitsVerdict(task) && { awaits_verdict: true },
    ...task.alerts.length > 0 && { alerts: task.alerts.map((alert) => alertView(task, alert)) }
  };
}
function alertView(task, alert) {
  const { id, attempt, status, action, tries, error, notBefore } = alert;
  return {
    alert_id: id,
    class: alert.class,
    channel: channelKind(task, alert.channel),
    attempt,
    status,
    action,
    tries,
    ...error !== null && { error },
    ...notBefore !== null && { not_before: instant(notBefore) }
  };
}

// src/engine/row.ts
function rowOf2(run) {
  if (run?.opened !== true) return void 0;
  const { header } = run;
  return {
    id: header.id,
    name: header.name,
    status: run.status,
    ...header.key !== void 0 && { key: header.key, digest: header.digest },
    tasks: run.tasks.size,
    ...isEndedRun(run.status) && { counts: countersOf(run) },
    createdAt: header.createdAt,
    updatedAt: run.updatedAt,
    ...run.unsettled > 0 && { unsettled: run.unsettled },
    ...run.completedAt !== null && { completedAt: run.completedAt }
  };
}

// src/engine/run-loader.ts
var entriesAtOnce = 250;
async function loadRun(state, source, runId2, carried) {
  const aside = createFleetState();
  await readInto(aside, source, runId2);
  const run = aside.runs.get(runId2);
  if (run === void 0) return void 0;
  const restarted = [];
  for (const task of run.tasks.values()) if (task.isShort && !isEndedTask(task.status)) restarted.push(task);
  lengthen(run, await readSpecs(source, runId2, restarted));
  run.carried = carried;
  run.durableSeq = run.seq;
  adopt(state, aside, run);
  return run;
}
async function loadFleetStream(state, source) {
  const aside = createFleetState();
  const read2 = await readInto(aside, source, fleetStream);
  state.workers.clear();
  for (const [id, record] of aside.workers) state.workers.set(id, record);
  state.fleetSeq = aside.fleetSeq;
  return { seq: aside.fleetSeq, read: read2 };
}
async function readInto(state, { store, clock }, runId2) {
  const snapshot = await store.loadSnapshot(runId2);
  if (snapshot !== void 0 && runId2 === fleetStream) restoreWorkers(state, snapshot);
  else if (snapshot !== void 0) await inSlices(restoring(state, runId2, snapshot), clock);
  const first = (snapshot?.seq ?? 0) + 1;
  for (let from = first; ; from += entriesAtOnce) {
    const entries = await store.read(runId2, { from, limit: entriesAtOnce });
    await inSlices(folding(state, runId2, entries), clock);
    if (entries.length < entriesAtOnce) return from + entries.length - first;
  }
}
function restoreWorkers(state, { seq, records }) {
  state.fleetSeq = seq;
  for (const { value } of records) {
    const record = value;
    state.workers.set(record.id, record);
  }
}
function* folding(state, runId2, entries) {
  for (const entry of entries) {
    fold(state, runId2, entry);
    yield;
  }
}
function* restoring(state, runId2, snapshot) {
  const [own] = snapshot.records;
  if (own === void 0) return;
  const { header, posted, ...fields2 } = own.value;
  const run = createRunState(header);
  Object.assign(run, fields2);
  run.seq = snapshot.seq;
  run.snapshotSeq = snapshot.seq;
  for (const id of posted) run.posted.add(id);
  state.runs.set(runId2, run);
  for (const { value } of snapshot.records) {
    if (value === own.value) continue;
    const { workerSeqs, spec, addedBy, ...rest } = value;
    const task = createTaskState(run, spec, { by: addedBy, at: 0 });
    Object.assign(task, rest);
    if (workerSeqs !== void 0) task.workerSeqs = Object.entries(workerSeqs);
    restoreTask(state, run, task);
    yield;
  }
  for (const id of run.tasks.keys()) {
    countDependencies(run, id);
    yield;
  }
}

// src/engine/run-memory.ts
function createRunMemory(core, parts2) {
  const { state } = core;
  const loading = /* @__PURE__ */ new Map();
  const users = /* @__PURE__ */ new Map();
  function once3(id, read2) {
    const present2 = state.runs.get(id);
    if (present2 !== void 0 && !loading.has(id)) return Promise.resolve(present2);
    let found = loading.get(id);
    if (found === void 0) {
      found = read2().finally(() => loading.delete(id));
      loading.set(id, found);
    }
    return found;
  }
  async function loadAndRecover(id) {
    const run = await loadRun(state, core, id, false);
    if (run !== void 0) await recoverRun(core, run, parts2);
    if (run !== void 0 && isEndedRun(run.status)) run.carried = true;
    return run;
  }
  function letGo(id) {
    const run = state.runs.get(id);
    if (run === void 0 || !isEndedRun(run.status) || openTasks(run) > 0 || run.unsettled > 0 || run.durableSeq < run.seq)
      return;
    if (!users.has(id) && core.presence.ofRun(id) === 0 && !parts2.snapshots.isTaking(id)) forget(state, run);
  }
  function release2(id) {
    const left2 = (users.get(id) ?? 1) - 1;
    if (left2 > 0) users.set(id, left2);
    else users.delete(id);
    letGo(id);
  }
  return {
    async use(id, act) {
      users.set(id, (users.get(id) ?? 0) + 1);
      try {
        return await act(await once3(id, () => loadAndRecover(id)));
      } finally {
        release2(id);
      }
    },
    read: (id) => once3(id, () => loadRun(state, core, id, true)),
    async reload(id, carried) {
      if (id === fleetStream) return (await loadFleetStream(state, core)).seq;
      const run = await loadRun(state, core, id, carried);
      if (run === void 0) return 0;
      for (const task of run.tasks.values()) parts2.watch.arm(run, task);
      parts2.alerts.recover(run);
      return run.seq;
    },
    look: (id) => loadRun(createFleetState(), { store: core.shown, clock: core.clock }, id, false),
    letGo
  };
}

// src/engine/snapshots.ts
function createSnapshots(core, hooks) {
  const { state, store, defaults } = core;
  const waiting = /* @__PURE__ */ new Map();
  let working;
  async function work() {
    for (const [id, run] of waiting) {
      await take(id, run);
      waiting.delete(id);
      hooks.taken(id);
    }
    working = void 0;
  }
  async function take(id, run) {
    const from = run.seq;
    await store.saveSnapshot(
      id,
      snapshotSource(run, () => through(id, run))
    ).catch(() => void 0);
    run.snapshotSeq = from;
  }
  async function through(id, run) {
    const seen = run.seq;
    return await hooks.durable() && state.runs.get(id) === run ? seen : void 0;
  }
  function begin(run) {
    waiting.set(run.header.id, run);
    working ??= work();
  }
  function isDue(run) {
    const every = isEndedRun(run.status) ? defaults.snapshotAtEndAfter : Math.max(defaults.snapshotAfter, run.tasks.size / 2);
    return run.opened && run.seq - run.snapshotSeq >= every;
  }
  return {
    consider(run) {
      if (isDue(run)) begin(run);
    },
    isTaking: (run) => waiting.has(run),
    async close() {
      await working;
      for (const run of state.runs.values()) if (run.seq - run.snapshotSeq >= defaults.snapshotAtEndAfter) begin(run);
      await working;
    }
  };
}

// src/engine/worker-host.ts
var steadyMs = 1e4;
function createWorkerHost(core, workers, parts2, store) {
  const { reports, line: line2 } = parts2;
  const closing = new AbortController();
  const loops = /* @__PURE__ */ new Set();
  function start(worker) {
    return new Promise((resolve4) => {
      if (worker.transport.dialsIn === true) resolve4();
      const loop = keepUp(worker, resolve4).finally(() => loops.delete(loop));
      loops.add(loop);
    });
  }
  async function keepUp(worker, firstSettled) {
    while (!closing.signal.aborted && worker.status !== "retired") {
      const since = core.clock.monotonic();
      const reason = await serve(worker, firstSettled);
      firstSettled();
      if (closing.signal.aborted || isRetired(worker)) return;
      worker.failures = core.clock.monotonic() - since > steadyMs ? 1 : worker.failures + 1;
      line2.lost(worker, reason);
      if (worker.transport.dialsIn === true) continue;
      const { first, most } = core.defaults.workerBackoffMs;
      await core.clock.sleep(Math.min(most, first * 2 ** (worker.failures - 1)), { signal: closing.signal, keepAlive: false });
      worker.incarnation = core.ids.next("inc");
    }
  }
  async function serve(worker, ready) {
    let channel2;
    try {
      channel2 = await worker.transport.open(
        {
          workerId: worker.facts.id,
          storeId: store.id(),
          incarnation: worker.incarnation,
          slots: worker.facts.slots,
          leaseTtlMs: core.defaults.leaseTtlMs,
          kept: store.kept
        },
        { signal: closing.signal }
      );
    } catch (error) {
      return `it could not be started: ${error instanceof Error ? error.message : String(error)}`;
    }
    worker.channel = channel2;
    for await (const message of channel2.messages) {
      if (message.type === "hello") {
        line2.hello(worker, message);
        ready();
      } else if (message.type === "drain") worker.resting = true;
      else reports.take(worker, message);
    }
    return (await channel2.closed).reason;
  }
  async function retire(worker) {
    workers.step(worker, { type: "retire" });
    const { channel: channel2 } = worker;
    worker.channel = void 0;
    await channel2?.close({ reason: "retired", graceMs: core.defaults.stopGraceMs });
    const { id } = worker.facts;
    core.turns.report(() => {
      if (core.state.workers.get(id)?.retired === true) return nothing();
      const record = { id, incarnation: worker.incarnation, draining: true, retired: true };
      return just({ on: "fleet", kind: "worker.retired", record });
    });
  }
  return {
    start,
    retire,
    async close({ reason, graceMs }) {
      closing.abort();
      const channels = workers.all().flatMap(({ channel: channel2 }) => channel2 === void 0 ? [] : [channel2]);
      await Promise.all(channels.map((channel2) => channel2.close({ reason, graceMs })));
      await Promise.all(loops);
    }
  };
}
function isRetired(worker) {
  return worker.status === "retired";
}

// src/engine/worker-line.ts
function createWorkerLine(core, workers) {
  function hello(worker, message) {
    worker.incarnation = withoutSecrets(core, message.incarnation);
    worker.resting = false;
    recordIncarnation(core, worker);
    workers.step(worker, { type: "hello", leases: core.state.holdings.get(worker.facts.id) ?? 0, draining: worker.draining });
    const alive = new Set(message.attempts.map(attemptId));
    for (const id of worker.abandoned) if (!alive.has(id)) worker.abandoned.delete(id);
    dropLeases(worker, (id) => !alive.has(id), {
      reason: "a new incarnation of the worker does not know the attempt",
      lost: false
    });
    core.turns.nudge();
  }
  function lost(worker, said) {
    const reason = withoutSecrets(core, said);
    workers.step(worker, { type: "lost" });
    if (worker.transport.survives) return;
    worker.channel = void 0;
    dropLeases(worker, () => true, { reason, lost: true });
  }
  function dropLeases(worker, gone, { reason, lost: lost2 }) {
    for (const presence of core.presence.all()) {
      if (presence.worker !== worker.facts.id || !gone(`${presence.run}/${presence.task}/${presence.attempt}`)) continue;
      core.presence.end(presence.run, presence.task, presence.attempt);
      core.turns.report((context) => {
        const found = liveTask(core, presence.run, presence.task, presence.attempt);
        if (found === void 0) return nothing();
        if (found.task.status === "starting" || !lost2)
          return releaseAttempt(context, found.run, found.task, { reason, crash: false, stillRunning: false });
        return failAttempt(context, found.run, found.task, {
          cause: "transport",
          reason: `The worker ${worker.facts.id} was lost: ${reason}.`,
          final: false,
          stillRunning: false
        });
      });
    }
  }
  return { hello, lost };
}

// src/lifecycles/worker.ts
import { setup as setup3 } from "xstate";
var arrivals = [
  { guard: "draining", target: "draining" },
  { guard: "holdsLeases", target: "busy" },
  { target: "online" }
];
var drains = [{ guard: "holdsLeases", target: "draining" }, { target: "retired" }];
var makeWorkerMachine = () => setup3({
  types: {},
  guards: {
    holdsLeases: ({ event }) => "leases" in event && event.leases > 0,
    draining: ({ event }) => "draining" in event && event.draining
  }
}).createMachine({
  id: "worker",
  initial: "unknown",
  states: {
    unknown: { on: { hello: [...arrivals], lost: "offline", drain: [...drains], retire: "retired" } },
    online: {
      on: { lease: "busy", unwell: "unhealthy", lost: "offline", drain: [...drains], retire: "retired" }
    },
    busy: { on: { idle: "online", unwell: "unhealthy", lost: "offline", drain: [...drains], retire: "retired" } },
    unhealthy: { on: { recover: [...arrivals], lost: "offline", drain: [...drains], retire: "retired" } },
    offline: { on: { hello: [...arrivals], drain: [...drains], retire: "retired" } },
    draining: { on: { idle: "retired", lost: "offline", retire: "retired" } },
    retired: { tags: "ended" }
  }
});
var workerLifecycle = createLifecycle(makeWorkerMachine);

// src/engine/workers.ts
var leased = { type: "lease" };
var idle = { type: "idle" };
function createWorkers(counts, abandonedAtOnce) {
  const workers = /* @__PURE__ */ new Map();
  let matches = /* @__PURE__ */ new Map();
  function free(worker) {
    if (worker.status !== "online" && worker.status !== "busy") return 0;
    if (worker.resting || worker.abandoned.size >= abandonedAtOnce) return 0;
    return worker.facts.slots - counts.held(worker.facts.id) - counts.lingering(worker.facts.id);
  }
  function matching(requirement) {
    let found = matches.get(requirement.key);
    if (found === void 0) {
      found = [...workers.values()].filter(
        (worker) => worker.status !== "retired" && mismatches(requirement, worker.facts).length === 0
      );
      matches.set(requirement.key, found);
    }
    return found;
  }
  function step(worker, event) {
    const next = workerLifecycle.step({ value: worker.status, context: {} }, event);
    if (next === void 0) return;
    if (next.value === "retired") matches = /* @__PURE__ */ new Map();
    worker.status = next.value;
  }
  return {
    get: (id) => workers.get(id),
    all: () => [...workers.values()],
    add(worker) {
      workers.set(worker.facts.id, worker);
      matches = /* @__PURE__ */ new Map();
    },
    step,
    settle(worker) {
      step(worker, counts.held(worker.facts.id) > 0 ? leased : idle);
    },
    termsOf({ requirement, spec }, id) {
      const worker = workers.get(id);
      if (worker === void 0) return usualTerms;
      const level = effectiveTrust(requirement, worker.facts);
      if (level === usualTerms.level) return usualTerms;
      const writablePaths = spec.workspace?.writable_paths ?? [];
      return leaseTerms(level, {
        grants: requirement.grants,
        writablePaths,
        isEnforced: isEnforced(requirement, worker.facts)
      });
    },
    free: (worker) => Math.max(0, free(worker)),
    matching,
    anyFree() {
      for (const worker of workers.values()) if (free(worker) > 0) return true;
      return false;
    },
    freeFor(requirement, avoid) {
      let best;
      for (const worker of matching(requirement)) {
        if (free(worker) <= 0) continue;
        if (best === void 0 || better(worker, best)) best = worker;
      }
      return best === void 0 ? void 0 : { id: best.facts.id, incarnation: best.incarnation, startsAtOnce: best.transport.startsAtOnce };
      function better(a, b) {
        const aFailed = a.facts.id === avoid;
        const bFailed = b.facts.id === avoid;
        return aFailed === bFailed ? free(a) > free(b) : bFailed;
      }
    }
  };
}

// src/engine/drain.ts
async function drainWorker(core, parts2, worker, graceMs) {
  const { workers, host: host2 } = parts2;
  const { id } = worker.facts;
  workers.step(worker, { type: "drain", leases: core.state.holdings.get(id) ?? 0 });
  const release2 = graceMs === void 0 ? void 0 : core.deadlines.after(graceMs, () => releaseAll(core, id));
  while (worker.status === "draining") {
    const ended2 = new AbortController();
    const watch = core.presence.onEnd(() => ended2.abort());
    await core.clock.sleep(longWaitMs, { signal: ended2.signal, keepAlive: false });
    watch();
    workers.settle(worker);
  }
  release2?.();
  await host2.retire(worker);
}
var longWaitMs = 6e4;
function releaseAll(core, worker) {
  for (const attempt of core.presence.all()) {
    if (attempt.worker !== worker || attempt.lingering) continue;
    core.turns.report((context) => {
      const found = liveTask(core, attempt.run, attempt.task, attempt.attempt);
      if (found === void 0) return nothing();
      return releaseAttempt(context, found.run, found.task, { reason: "drained", crash: false, stillRunning: true });
    });
  }
}

// src/engine/engine.ts
var storePauseMs = 100;
function createEngine(ports, storeId) {
  const { store, clock, defaults } = ports;
  const state = createFleetState({
    limits: ports.concurrency,
    later: (ms, act) => void deadlines.after(ms, () => (act(), turns.nudge()))
  });
  const presence = createPresence();
  keepLingeringGates(state, presence);
  const deadlines = createDeadlines(clock, { keepAlive: hasOpenWork });
  const workers = createWorkers(
    { held: (worker) => state.holdings.get(worker) ?? 0, lingering: (worker) => presence.lingering(worker) },
    defaults.abandonedAtOnce
  );
  const announcer = createAnnouncer(clock, ports);
  const cursors = createLiveCursors();
  let leasing = false;
  let closing = false;
  let now = clock.now();
  const storeWatch = createStoreWatch(
    { ...ports, state, presence, deadlines },
    { reload: (id, carried) => memory.reload(id, carried) }
  );
  const commits = createCommits(ports, {
    restore: (runs, error) => storeWatch.restore(runs, error),
    followed: () => aftermath.followed(),
    resumed() {
      effects.again();
      turns.retryKept();
    },
    rowOf: (run) => rowOf2(state.runs.get(run))
  });
  const fleetSnapshots = createFleetSnapshots(store, state, () => commits.durable());
  const hooks = {
    context,
    apply,
    following(decided, on, entry) {
      const run = state.runs.get(on);
      return run?.alertPolicies.any === true ? alertsAfter(decided, run, entry) : void 0;
    },
    schedule: (decided) => leasing && !closing ? schedule(decided, workers) : nothing(),
    durable: (entries) => aftermath.durable(entries),
    refusing: () => storeWatch.refusing(),
    keepLimit: defaults.keptReports
  };
  const turns = createTurns(commits, hooks);
  const core = { ...ports, state, presence, deadlines, turns, liveCursor: (run) => cursors.of(run) };
  const budgets = createBudgetWatch(core);
  const watch = createAttemptWatch(core, workers, budgets);
  const alerts = createAlertOutbox(core);
  const effects = createEffects(core, workers, watch, alerts);
  const stalls = createStallWatch(core, workers);
  const snapshots = createSnapshots(core, { durable: () => commits.durable(), taken: (run) => memory.letGo(run) });
  const memory = createRunMemory(core, { workers, effects, watch, alerts, snapshots });
  presence.onEnd(({ run }) => queueMicrotask(() => memory.letGo(run)));
  const reports = createReports(core, workers, effects, memory.use);
  const kept = async () => {
    await clock.turn();
    await reports.taken();
    while (turns.keepsReports() || !await commits.durable()) await clock.sleep(storePauseMs, { keepAlive: false });
  };
  const host2 = createWorkerHost(core, workers, { reports, line: createWorkerLine(core, workers) }, { id: storeId, kept });
  const aftermath = createAftermath(core, {
    ...{ announcer, cursors, storeWatch, workers, host: host2, effects, alerts, watch, budgets, stalls, snapshots, memory }
  });
  function context() {
    now = clock.now();
    return {
      state,
      now,
      draw: () => ports.ids.random(),
      defaults,
      scorers: ports.scorers,
      alertSinks: ports.alertSinks,
      termsOf: (task, worker) => workers.termsOf(task, worker)
    };
  }
  function apply(draft) {
    const { on } = draft;
    const seq = (on === "fleet" ? state.fleetSeq : state.runs.get(on)?.seq ?? 0) + 1;
    const entry = entryOf(draft, seq, now);
    fold(state, on, entry);
    if (entry.effects?.includes("worker.stop") === true) {
      const revoked = presence.get(on, entry.task ?? "", entry.attempt ?? 0);
      if (revoked !== void 0) presence.linger(revoked);
    }
    return entry;
  }
  async function look(id, view) {
    while (storeWatch.refusing() === void 0 && state.runs.has(id)) {
      const seen = view(state.runs.get(id));
      if (await commits.durable()) return seen;
    }
    return view(await memory.look(id));
  }
  function hasOpenWork() {
    if (closing) return true;
    for (const run of state.runs.values()) if (run.carried && run.status !== "pending" && openTasks(run) > 0) return true;
    return false;
  }
  return {
    core,
    workers,
    host: host2,
    reports,
    effects,
    alerts,
    async command(decide) {
      if (closing) throw new FleetError("fleet_closed", "The fleet is closed. Create a new one to go on.");
      return turns.command(decide);
    },
    use: memory.use,
    read: memory.read,
    saveSnapshots: snapshots.close,
    look,
    drain: (worker, graceMs) => drainWorker(core, { workers, host: host2 }, worker, graceMs),
    keepFleetStream: () => fleetSnapshots.keep(),
    async drop(id) {
      await fleetSnapshots.keep();
      await store.remove(id);
      const run = state.runs.get(id);
      if (run !== void 0) forget(state, run);
    },
    async discard(id) {
      announcer.forget(id);
      const run = state.runs.get(id);
      if (run !== void 0) forget(state, run);
      await store.remove(id);
    },
    announced: () => announcer.idle(),
    opened: stalls.opened,
    recover: (run) => recoverRun(core, run, { workers, effects, watch, alerts }),
    get leasing() {
      return leasing;
    },
    set leasing(value) {
      leasing = value;
      if (value) turns.nudge();
    },
    get closing() {
      return closing;
    },
    set closing(value) {
      closing = value;
    },
    giveUpOnStore: () => storeWatch.giveUp(),
    settled: () => commits.settled()
  };
}

// src/recording/seamed-clock.ts
function seamedClock(seam) {
  return {
    now: () => seam.now(),
    monotonic: () => seam.monotonic(),
    sleep: (ms, { signal, keepAlive = true } = {}) => new Promise((resolve4) => {
      if (signal?.aborted === true) return resolve4();
      const cancel = seam.alarm(ms, wake, { keepAlive });
      signal?.addEventListener("abort", wake, { once: true });
      function wake() {
        cancel();
        signal?.removeEventListener("abort", wake);
        resolve4();
      }
    }),
    alarm: (ms, act, options) => seam.alarm(ms, act, options),
    turn: () => Promise.resolve()
  };
}
function seamedIds(seam, ids) {
  return {
    next: (prefix) => seam.take(`id ${prefix}`, () => ids.next(prefix)),
    random: () => seam.take("draw", () => ids.random()),
    forEpoch: (epoch) => seamedIds(seam, ids.forEpoch?.(epoch) ?? ids)
  };
}

// src/recording/seamed-ports.ts
function seamedWork(seam, { scorers, collector, workspaces, secrets, alertSinks }) {
  return {
    scorers: seamedScorers(seam, scorers),
    collector: seamedCollector(seam, collector),
    secrets: seamedSecrets(seam, secrets),
    alertSinks: seamedAlerts(seam, alertSinks),
    workspaces: {
      prepare: (task, base) => seam.takeOrAsk(`workspace ${task.id} ${base}`, () => workspaces.prepare(task, base), { shown: withoutValues })
    }
  };
}
function withoutValues(outcome) {
  if ("problems" in outcome) return outcome;
  return { root: outcome.root, environment: Object.fromEntries(Object.keys(outcome.environment).map((name) => [name, ""])) };
}
function seamedSecrets(seam, secrets) {
  return {
    unresolvable: (ref) => seam.take(`secret ${formatSecretRef(ref)}`, () => secrets.unresolvable(ref) ?? null) ?? void 0,
    resolve: (refs, options) => seam.ask(`secrets ${refs.map(formatSecretRef).join(" ")}`, () => secrets.resolve(refs, options), { shown: withoutSecrets2 })
  };
}
function seamedAlerts(seam, sinks2) {
  const rows = Object.entries(sinks2);
  const seamed = rows.map(([kind, sink]) => [
    kind,
    {
      resolves: sink.resolves,
      deliver: (alert, channel2, options) => seam.ask(`alert ${kind} ${alert.id}`, () => sink.deliver(alert, channel2, options)),
      preview: (alert, channel2) => sink.preview(alert, channel2)
    }
  ]);
  return Object.fromEntries(seamed);
}
function withoutSecrets2(outcome) {
  if ("problems" in outcome) return outcome;
  return {
    values: Object.fromEntries(Object.keys(outcome.values).map((key) => [key, `the secret ${key}, which was not recorded`]))
  };
}
function seamedScorers(seam, scorers) {
  const rows = Object.entries(scorers);
  const seamed = rows.map(([kind, scorer]) => [kind, scorer.effect ? seamedScorer(seam, scorer) : scorer]);
  return Object.fromEntries(seamed);
}
function seamedScorer(seam, scorer) {
  return {
    effect: true,
    ...scorer.endsByItself !== void 0 && { endsByItself: scorer.endsByItself },
    score: (input, options) => seam.ask(`score ${input.root} ${JSON.stringify(input.scorer)}`, () => scorer.score(input, options))
  };
}
function seamedCollector(seam, collector) {
  return {
    log: (place, text3) => seam.ask(`log ${attemptId(place)}`, () => collector.log(place, text3)),
    collect: (place, report) => seam.ask(`collect ${attemptId(place)} ${report.report}`, () => collector.collect(place, report)),
    finish: (place) => seam.ask(`finish ${attemptId(place)}`, () => collector.finish(place))
  };
}

// src/recording/seamed-store.ts
function seamedStore(seam, store) {
  return {
    name: store.name,
    folder: store.folder,
    blobs: {
      put: (run, bytes) => seam.ask(`blobs.put ${run}`, () => store.blobs.put(run, bytes)),
      open: (run, sha2562) => store.blobs.open(run, sha2562),
      remove: (run) => seam.ask(`blobs.remove ${run}`, () => store.blobs.remove(run))
    },
    open: (options) => seam.ask("store.open", () => store.open(options)),
    claim: (options) => claims(seam, store, options),
    append: (batches) => seam.ask(`store.append ${batches.map(placeOf2).join(" ")}`, () => store.append(batches), { batches }),
    read: (run, range) => seam.ask(`store.read ${run} ${range.from}..${range.from + range.limit - 1}`, () => store.read(run, range)),
    last: (run) => seam.ask(`store.last ${run}`, () => store.last(run)),
    loadSnapshot: (run) => seam.ask(`store.loadSnapshot ${run}`, () => store.loadSnapshot(run)),
    saveSnapshot: (run, snapshot) => seam.ask(`store.saveSnapshot ${run}`, () => store.saveSnapshot(run, snapshot)),
    watch: (run, options) => store.watch(run, options),
    runs: (query) => seam.ask(`store.runs ${JSON.stringify(query ?? {})}`, () => store.runs(query)),
    row: (query) => seam.ask(`store.row ${JSON.stringify(query)}`, () => store.row(query)),
    post: (command, options) => store.post(command, options),
    inbox: ({ signal }) => inbox(seam, store, signal),
    remove: (run) => seam.ask(`store.remove ${run}`, () => store.remove(run)),
    owner: () => store.owner(),
    close: () => seam.ask("store.close", () => store.close())
  };
}
function placeOf2({ run, after, entries }) {
  return `${run} ${after + 1}..${after + entries.length}`;
}
async function* claims(seam, store, options) {
  const granted = [];
  const grants = await seam.ask(`store.claim ${options.runs?.join(" ") ?? "all"}`, async () => {
    for await (const claim of store.claim(options)) granted.push(claim);
    return granted.map(({ run, epoch }) => ({ run, epoch }));
  });
  for (const [index, grant] of grants.entries()) {
    const claim = granted[index];
    yield {
      ...grant,
      lost: claim?.lost ?? new AbortController().signal,
      release: () => seam.ask(`store.release ${grant.run}`, async () => claim?.release())
    };
  }
}
function inbox(seam, store, signal) {
  const items = /* @__PURE__ */ new Map();
  const arriving = createMessageChannel();
  const say = seam.hear("inbox", (word2) => {
    if ("ended" in word2) return arriving.end();
    const { posted } = word2;
    arriving.push({
      command: posted,
      answer: (answer) => seam.ask(`inbox.answer ${posted.id}`, async () => items.get(posted.id)?.answer(answer))
    });
  });
  void (async () => {
    try {
      for await (const item of store.inbox({ signal })) {
        items.set(item.command.id, item);
        say({ posted: item.command });
      }
    } finally {
      say({ ended: true });
    }
  })().catch(() => void 0);
  return arriving;
}

// src/recording/seamed-transport.ts
function seamedTransport(seam, transport) {
  return {
    ...transport,
    async open(launch, options) {
      const name = `${launch.workerId} ${launch.incarnation}`;
      const arriving = createMessageChannel();
      let close = () => void 0;
      const closed = new Promise((resolve4) => close = resolve4);
      const say = seam.hear(
        name,
        (word2) => {
          if ("said" in word2) return arriving.push(word2.said);
          arriving.end();
          close(word2.closed);
        },
        { shown: shownWord }
      );
      let channel2;
      await seam.ask(`worker.open ${name}`, async () => {
        channel2 = await transport.open(launch, options);
        void pump(channel2, say);
      });
      return {
        send(message) {
          seam.tell(shownMessage(launch.workerId, message));
          channel2?.send(message);
        },
        messages: arriving,
        closed,
        close: (how) => seam.ask(`worker.close ${name} ${how.graceMs}`, async () => channel2?.close(how))
      };
    }
  };
}
async function pump(channel2, say) {
  for await (const said of channel2.messages) say({ said });
  say({ closed: await channel2.closed });
}
function shownWord(word2) {
  if (!("said" in word2)) return word2;
  const { said } = word2;
  if (said.type === "log") return { said: { ...said, text: "" } };
  if (said.type !== "artifact") return word2;
  const { bytes: _, ...rest } = said;
  return { said: rest };
}
var words = {
  assign: ({ previous, dependencies }) => `after ${previous.length} receipts, with ${dependencies.length} dependencies`,
  hand_back: ({ reason }) => reason,
  stop: ({ code: code2, reason }) => `${code2}: ${reason}`,
  collected: ({ report, refused: refused3 }) => refused3 === void 0 ? String(report) : `${report} ${refused3}`
};
function shownMessage(worker, message) {
  const word2 = words[message.type];
  return `${worker} ${message.type} ${message.run_id}/${message.task_id}/${message.attempt} ${word2(message)}`;
}

// src/observability/bus.ts
import Emittery from "emittery";

// src/observability/subscription.ts
function createSubscription(limit2, signal, ended2) {
  const buffer = [];
  const lastTaken = /* @__PURE__ */ new Map();
  let gap;
  let done = false;
  let wake;
  function end() {
    if (done) return;
    done = true;
    signal?.removeEventListener("abort", end);
    ended2();
    wake?.();
  }
  async function* read2() {
    try {
      for (; ; ) {
        const next = buffer.shift();
        if (next !== void 0) {
          if (next.cursor !== "") lastTaken.set(next.run_id, next.cursor);
          yield next;
        } else if (gap !== void 0) {
          const missed = { event: "gap", dropped: gap.dropped, after: Object.fromEntries(gap.after) };
          gap = void 0;
          yield missed;
        } else if (done) return;
        else await new Promise((resolve4) => wake = resolve4);
      }
    } finally {
      end();
    }
  }
  if (signal?.aborted === true) done = true;
  else signal?.addEventListener("abort", end, { once: true });
  return {
    push(event) {
      if (gap === void 0 && buffer.length < limit2) buffer.push(event);
      else drop(event);
      wake?.();
    },
    end,
    events: { [Symbol.asyncIterator]: () => read2() }
  };
  function drop(event) {
    gap ??= { dropped: 0, after: /* @__PURE__ */ new Map() };
    gap.dropped += 1;
    if (gap.after.has(event.run_id)) return;
    const buffered = buffer.findLast((earlier2) => earlier2.run_id === event.run_id)?.cursor;
    gap.after.set(event.run_id, buffered ?? lastTaken.get(event.run_id) ?? null);
  }
}

// src/observability/bus.ts
function createBus(options) {
  const emitter = new Emittery();
  const subscriptions = /* @__PURE__ */ new Set();
  const heard = /* @__PURE__ */ new Map();
  function isHeard(name) {
    const known3 = heard.get(name);
    if (known3 !== void 0) return known3;
    const isIt = emitter.listenerCount(name) > 0;
    heard.set(name, isIt);
    return isIt;
  }
  function changed2() {
    heard.clear();
  }
  return {
    emit(event) {
      for (const subscription of subscriptions) subscription.push(event);
      if (!isHeard(event.event)) return;
      const emitted = emitter.emit(event.event, event);
      emitted.catch((error) => {
        process.emitWarning(
          `A listener of ${event.event} failed: ${error instanceof Error ? error.message : String(error)}`,
          "FlotillaWarning"
        );
      });
    },
    hasListeners: () => subscriptions.size > 0 || isHeard(),
    isListenedTo: (name) => subscriptions.size > 0 || isHeard(name),
    on(name, listener) {
      const off = emitter.on(name, listener);
      changed2();
      return () => {
        off();
        changed2();
      };
    },
    once(name) {
      const coming = emitter.once(name);
      changed2();
      void coming.then(changed2, changed2);
      return coming;
    },
    off(name, listener) {
      emitter.off(name, listener);
      changed2();
    },
    events({ signal }) {
      const subscription = createSubscription(options.buffer, signal, () => subscriptions.delete(subscription));
      subscriptions.add(subscription);
      return subscription.events;
    },
    close() {
      for (const subscription of [...subscriptions]) subscription.end();
      emitter.clearListeners();
      changed2();
    }
  };
}

// src/host/ids.ts
var alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
var idLength = 18;
var evenDraws = 2 ** 32 - 2 ** 32 % alphabet.length;
function systemIds() {
  const pool = new Uint32Array(256);
  let used = pool.length;
  return createIds(() => {
    if (used === pool.length) {
      crypto.getRandomValues(pool);
      used = 0;
    }
    return pool[used++];
  });
}
function createIds(next32) {
  return {
    next: (prefix) => `${prefix}-${Array.from({ length: idLength }, () => letter(next32)).join("")}`,
    random: () => (next32() * 2 ** 21 + (next32() >>> 11)) / 2 ** 53
  };
}
function letter(next32) {
  for (; ; ) {
    const draw = next32();
    if (draw < evenDraws) return alphabet.charAt(draw % alphabet.length);
  }
}

// src/host/sha256.ts
import { createHash as createHash2 } from "node:crypto";
function sha256(bytes) {
  return createHash2("sha256").update(bytes).digest("hex");
}

// src/verification/verdict.ts
var longestNotes = 1e3;
function pass(evidence) {
  return verdict("pass", 1, evidence);
}
function partial(evidence) {
  return verdict("partial", 0.5, evidence);
}
function fail2(failureKind, evidence) {
  return { ...verdict("fail", 0, evidence), failureKind };
}
function scored(verdict2, score) {
  if (score === void 0) return verdict2;
  const { value, max, notes = verdict2.score.notes ?? "" } = score;
  return { ...verdict2, score: { value, ...max !== void 0 && { max }, notes: excerpt(notes) } };
}
function verdict(result, value, evidence) {
  return { result, score: { value, max: 1, notes: excerpt(evidence) }, evidence };
}
function excerpt(evidence) {
  return evidence.length <= longestNotes ? evidence : `${evidence.slice(0, longestNotes - 1)}\u2026`;
}

// src/verification/command.ts
function commandScorer(parts2) {
  const { checks, storeId } = parts2;
  return {
    effect: true,
    endsByItself: true,
    async score(input, { signal }) {
      const { scorer, root, attempt } = input;
      const { key, worker, folder, environment, confined } = attempt;
      const { command: program, args } = scorer;
      const writablePaths = attempt.task.workspace?.writable_paths ?? [];
      const place = { root, folder, environment, confined, writablePaths };
      const end = await checks.run({ key, worker, storeId, program, args, ...place, input: toldOf(input) }, { signal });
      return verdictOn(program, end);
    }
  };
}
function verdictOn(program, end) {
  const written2 = end.output === "" ? "" : `
${end.output.trimEnd()}`;
  if ("problem" in end) return fail2("verifier", `${end.problem}${written2}`);
  const { exitCode, score } = end;
  const evidence = `${program} ended with exit code ${exitCode}.${written2}`;
  return scored(exitCode === 0 ? pass(evidence) : fail2("task", evidence), score);
}
function toldOf({ attempt, exitCode }) {
  const { key, task, output, artifacts, previous } = attempt;
  return { ...key, task, output, exit_code: exitCode, artifacts, previous };
}

// src/verification/exit-code.ts
var exitCodeScorer = {
  effect: false,
  score({ exitCode }) {
    if (exitCode === void 0) return fail2("transport", "The attempt ended without an exit code.");
    return exitCode === 0 ? pass("Exit code 0.") : fail2("task", `Exit code ${exitCode}.`);
  }
};

// src/verification/evidence-place.ts
var evidenceLimitBytes = 1e6;
async function findEvidence(files, root, path) {
  if (path.startsWith("/") || path.split("/").includes("..")) {
    return {
      found: "refused",
      reason: `${path} does not stay in the task's root: a scorer's path is relative, without \`..\`.`
    };
  }
  const [real, realRoot] = await Promise.all([files.real(`${root}/${path}`), files.real(root)]);
  if (real === void 0 || realRoot === void 0) return { found: "missing" };
  if (!real.startsWith(realRoot === "/" ? "/" : `${realRoot}/`)) {
    return { found: "refused", reason: `${path} leads out of the task's root by a link.` };
  }
  const facts = await files.facts(real);
  return facts?.kind === "file" ? { found: "file", path: real, root: realRoot, size: facts.size } : { found: "no_file" };
}

// src/verification/evidence-file.ts
async function locateEvidence(files, root, path) {
  try {
    const place = await findEvidence(files, root, path);
    switch (place.found) {
      case "file":
        return place;
      case "missing":
        return { verdict: fail2("task", `${path} does not exist.`) };
      case "no_file":
        return { verdict: fail2("task", `${path} is no regular file.`) };
      case "refused":
        return { verdict: fail2("verifier", place.reason) };
    }
  } catch (error) {
    return { verdict: unmakable(path, error) };
  }
}
async function readEvidence(files, root, path) {
  const located = await locateEvidence(files, root, path);
  if ("verdict" in located) return located;
  try {
    const bytes = await files.read(located.path, { limit: evidenceLimitBytes, within: located.root });
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch (error) {
    return { verdict: unmakable(path, error) };
  }
}
function unmakable(path, error) {
  if (FleetError.is(error, "too_large")) return fail2("verifier", `${path} is larger than ${evidenceLimitBytes} bytes.`);
  if (error instanceof TypeError) return fail2("verifier", `${path} is no UTF-8 text.`);
  return fail2("verifier", `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
}

// src/verification/file-exists.ts
function fileExistsScorer(files) {
  return {
    effect: true,
    async score({ scorer, root }) {
      const located = await locateEvidence(files, root, scorer.path);
      return "verdict" in located ? located.verdict : pass(`${scorer.path} is there.`);
    }
  };
}

// src/verification/linear-regex.ts
async function loadCompiler() {
  const { RE2JS } = await import("re2js");
  return (pattern2) => {
    try {
      const compiled = RE2JS.compile(pattern2);
      return { isIn: (text3) => compiled.test(text3), isAllOf: (text3) => compiled.testExact(text3) };
    } catch (error) {
      return { problem: error instanceof Error ? error.message : String(error) };
    }
  };
}
async function compilePattern(pattern2) {
  return (await loadCompiler())(pattern2);
}

// src/verification/json-queries.ts
var deepest = 500;
var keptPatterns = 100;
async function loadQueries() {
  const [{ JSONPathEnvironment }, compilePattern2] = await Promise.all([import("json-p3"), loadCompiler()]);
  return (expression) => {
    const environment = new JSONPathEnvironment({ maxRecursionDepth: deepest });
    const patternOf = patternCache(compilePattern2);
    replaceFunction(environment.functionRegister, "match", (text3, pattern2) => patternOf(pattern2).isAllOf(text3));
    replaceFunction(environment.functionRegister, "search", (text3, pattern2) => patternOf(pattern2).isIn(text3));
    try {
      const query = environment.compile(expression);
      return { find: (document) => valuesOf(query.lazyQuery(document)) };
    } catch (error) {
      return { problem: error instanceof Error ? error.message : String(error) };
    }
  };
}
function replaceFunction(register, name, test) {
  const standard = register.get(name);
  if (standard === void 0)
    throw new Error(`The JSONPath library has no function ${name} any more, so its patterns cannot be made safe.`);
  register.set(name, {
    argTypes: standard.argTypes,
    returnType: standard.returnType,
    call: (text3, pattern2) => typeof text3 === "string" && typeof pattern2 === "string" && test(text3, pattern2)
  });
}
function patternCache(compile2) {
  const known3 = /* @__PURE__ */ new Map();
  return (pattern2) => {
    const kept = known3.get(pattern2);
    if (kept !== void 0) return kept;
    const compiled = compile2(pattern2);
    if ("problem" in compiled) throw new Error(`the pattern ${JSON.stringify(pattern2)} cannot be used: ${compiled.problem}`);
    if (known3.size >= keptPatterns) known3.clear();
    known3.set(pattern2, compiled);
    return compiled;
  };
}
function* valuesOf(nodes) {
  for (const node of nodes) yield node.value;
}

// src/verification/json-path.ts
function jsonPathScorer(files) {
  return {
    effect: true,
    async score({ scorer, root }) {
      const { path, expression } = scorer;
      const compile2 = await loadQueries();
      const query = compile2(expression.startsWith(".") ? `$${expression}` : expression);
      if ("problem" in query) return fail2("verifier", `The expression ${expression} cannot be used: ${query.problem}`);
      const evidence = await readEvidence(files, root, path);
      if ("verdict" in evidence) return evidence.verdict;
      const document = parseJson(evidence.text);
      if ("problem" in document) return fail2("task", `${path} is no JSON: ${document.problem}`);
      return judge2(query.find, document.json, scorer);
    }
  };
}
function judge2(find, document, { path, expression }) {
  try {
    let found = 0;
    for (const value of find(document)) {
      found += 1;
      if (value !== null && value !== false) return pass(`${expression} finds ${excerpt2(value)} in ${path}.`);
    }
    return fail2(
      "task",
      found === 0 ? `${expression} finds nothing in ${path}.` : `${expression} finds only null or false in ${path}.`
    );
  } catch (error) {
    return fail2("verifier", `The expression ${expression} cannot be used on ${path}: ${messageOf(error)}`);
  }
}
function parseJson(text3) {
  try {
    return { json: JSON.parse(text3) };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}
function excerpt2(value) {
  const text3 = JSON.stringify(value);
  return text3.length <= 200 ? text3 : `${text3.slice(0, 200)}\u2026`;
}
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

// src/verification/manual.ts
var manualScorer = {
  effect: false,
  score: () => partial("Awaits a verdict by hand.")
};

// src/verification/regex-match.ts
function regexMatchScorer(files) {
  return {
    effect: true,
    async score({ scorer, root }) {
      const { path, pattern: pattern2 } = scorer;
      const compiled = await compilePattern(pattern2);
      if ("problem" in compiled)
        return fail2("verifier", `The pattern ${JSON.stringify(pattern2)} cannot be used: ${compiled.problem}`);
      const evidence = await readEvidence(files, root, path);
      if ("verdict" in evidence) return evidence.verdict;
      return compiled.isIn(evidence.text) ? pass(`${path} matches ${JSON.stringify(pattern2)}.`) : fail2("task", `${path} does not match ${JSON.stringify(pattern2)}.`);
    }
  };
}

// src/verification/verifier-prompt.ts
function verifierPromptScorer(verifier) {
  if (verifier === void 0)
    return { effect: false, score: () => partial("No verifier is registered: awaits a verdict by hand.") };
  return {
    effect: true,
    async score({ scorer, root, exitCode, attempt }, { signal }) {
      const { key, task, worker, output, artifacts, previous, folder } = attempt;
      const answer = await verifier({
        ...{ prompt: scorer.prompt, run_id: key.run_id, task, attempt: key.attempt, worker, output, exit_code: exitCode },
        ...{ artifacts, previous, root, folder, signal }
      });
      return verdictOn2(answer);
    }
  };
}
function verdictOn2(answer) {
  const given = typeof answer === "object" && answer !== null ? answer : {};
  const { value, max = 1, notes, pass: passes } = given;
  const isAnswer = Number.isFinite(value) && Number.isFinite(max) && (notes === void 0 || typeof notes === "string") && (passes === void 0 || typeof passes === "boolean");
  if (value === void 0 || !isAnswer)
    return fail2("verifier", `The verifier did not answer with { value, max?, notes?, pass? }.`);
  const evidence = notes ?? `The verifier gave ${value} of ${max}.`;
  return scored(passes ?? value >= max ? pass(evidence) : fail2("task", evidence), { value, max, notes });
}

// src/verification/scorers.ts
function createScorers({ files, checks, storeId, verifier }) {
  return {
    exit_code: exitCodeScorer,
    file_exists: fileExistsScorer(files),
    regex_match: regexMatchScorer(files),
    json_path: jsonPathScorer(files),
    command: commandScorer({ checks, storeId }),
    code_whale_verifier_prompt: verifierPromptScorer(verifier),
    manual: manualScorer
  };
}

// src/workspace/secret-like.ts
var secretWords = /* @__PURE__ */ new Set([
  "key",
  "keys",
  "pass",
  "auth",
  "cred",
  "creds",
  "credential",
  "credentials",
  "cookie",
  "bearer",
  "jwt",
  "pat"
]);
var secretEndings = [
  "token",
  "tokens",
  "secret",
  "secrets",
  "password",
  "passwords",
  "passwd",
  "passphrase",
  "apikey",
  "accesskey"
];
function secretLikeName(name) {
  const words2 = name.replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase().split(/[^a-z]+/);
  return words2.some((word2) => secretWords.has(word2) || secretEndings.some((ending) => word2.endsWith(ending)));
}

// src/workspace/environment.ts
function environmentProblems(requirements) {
  return (requirements?.allowlist ?? []).filter(secretLikeName).map((name) => `workspace.environment.allowlist names ${name}, which looks like a secret. Grant it as a secret instead.`);
}
function unsetProblems(requirements, environment) {
  return (requirements?.required ?? []).filter((name) => environment.get(name) === void 0).map((name) => `The environment variable ${name} is required, and not set.`);
}
function grantedValues(requirements, environment) {
  const names3 = [...requirements?.required ?? [], ...requirements?.allowlist ?? []].filter((name) => !secretLikeName(name));
  const values = names3.flatMap((name) => {
    const value = environment.get(name);
    return value === void 0 ? [] : [[name, value]];
  });
  return Object.fromEntries(values);
}

// src/workspace/root.ts
async function resolveRoot(files, base, root = ".") {
  const problem = (why) => ({ problem: `workspace.root ${JSON.stringify(root)} ${why}.` });
  const syntax = pathProblem(root);
  if (syntax !== void 0) return problem(syntax);
  const realBase = await files.real(base);
  if (realBase === void 0) return { problem: `The workspace folder ${base} does not exist.` };
  const wanted = root.startsWith("/") ? root : joinPath(base, root);
  const real = await files.real(wanted);
  if (!isInside(wanted, base) && !isInside(wanted, realBase)) return problem(`is outside of the workspace folder ${base}`);
  if (real === void 0) return problem(`does not exist in ${base}`);
  if (!isInside(real, realBase)) return problem(`leads out of the workspace folder ${base} by a link`);
  return (await files.facts(real))?.kind === "folder" ? { root: real } : problem("is no folder");
}

// src/workspace/requirements.ts
function createWorkspaces({
  files,
  environment
}) {
  return {
    prepare(task, base) {
      if (task.workspace === void 0 && task.input_files.length === 0) return { root: base, environment: {} };
      return check(task, base).catch((error) => ({ problems: [error instanceof Error ? error.message : String(error)] }));
    }
  };
  async function check(task, base) {
    const resolved = await resolveRoot(files, base, task.workspace?.root);
    const wanted = task.workspace?.environment;
    const problems = [
      ..."root" in resolved ? await missingFiles(files, resolved.root, task) : [resolved.problem],
      ...environmentProblems(wanted),
      ...unsetProblems(wanted, environment)
    ];
    if (problems.length > 0 || !("root" in resolved)) return { problems };
    return { root: resolved.root, environment: grantedValues(wanted, environment) };
  }
}
async function missingFiles(files, root, task) {
  const wanted = [
    ...(task.workspace?.required_files ?? []).map((path) => ["workspace.required_files", path]),
    ...task.input_files.map((path) => ["input_files", path])
  ];
  const problems = await Promise.all(
    wanted.map(async ([field, path]) => {
      const why = relativeProblem(path) ?? (await isThere(files, root, path) ? void 0 : `is not in ${root}`);
      return why === void 0 ? [] : [`${field}: ${path} ${why}.`];
    })
  );
  return problems.flat();
}
async function isThere(files, root, path) {
  const real = await files.real(joinPath(root, path));
  if (real !== void 0) return isInside(real, root);
  return /[*?[\]{}()!]/.test(path) && (await files.find(root, [path])).length > 0;
}

// src/fleet/environment-secrets.ts
function environmentSecrets(environment) {
  return ({ key, source = "env" }) => Promise.resolve(source === "env" ? environment.get(key) : void 0);
}

// src/fleet/alert-secrets.ts
function alertSecrets(options, parts2) {
  const { secrets, environment, signal } = parts2;
  if (options.secrets === void 0) return environmentSecrets(environment);
  return async (ref) => {
    const outcome = await secrets.resolve([ref], { signal });
    return "values" in outcome ? outcome.values[ref.key] : void 0;
  };
}

// src/alerts/secret-text.ts
var keptSource = "kept";
var sources = /* @__PURE__ */ new Set(["env", "keyring", "file", keptSource]);
function parseSecretText(text3) {
  const [, source, rest] = /^<secret:(?:([^.<>\s]+)\.)?([^<>\s]+)>$/.exec(text3.trim()) ?? [];
  if (rest === void 0) return void 0;
  if (source === void 0) return { key: rest };
  return sources.has(source) ? { key: rest, source } : { key: `${source}.${rest}` };
}

// src/alerts/signature.ts
import { createHmac } from "node:crypto";
var encodedPrefix = "whsec_";
function signedHeaders(message, secrets) {
  const seconds = String(Math.floor(message.now / 1e3));
  const signatures = (secrets ?? "").split(/\s+/).filter((secret) => secret !== "").map(
    (secret) => `v1,${createHmac("sha256", keyOf2(secret)).update(`${message.id}.${seconds}.${message.body}`).digest("base64")}`
  );
  return {
    "webhook-id": message.id,
    "webhook-timestamp": seconds,
    ...signatures.length > 0 && { "webhook-signature": signatures.join(" ") }
  };
}
function keyOf2(secret) {
  return secret.startsWith(encodedPrefix) ? Buffer.from(secret.slice(encodedPrefix.length), "base64") : Buffer.from(secret, "utf8");
}

// src/alerts/endpoint.ts
var json2 = { "content-type": "application/json", "user-agent": "flotilla" };
function endpointSink({ send, secret, clock }, bodyOf2) {
  async function deliver(alert, channel2, options) {
    const { url_ref, secret_ref } = channel2;
    const url = url_ref === void 0 ? channel2.url : await secret(url_ref, alert.run.id);
    if (url === void 0) return missing(url_ref === void 0 ? "an address" : formatSecretRef(url_ref));
    const secrets = secret_ref === void 0 ? void 0 : await secret(secret_ref, alert.run.id);
    if (secret_ref !== void 0 && (secrets ?? "").trim() === "") return missing(formatSecretRef(secret_ref));
    const body = JSON.stringify(bodyOf2(alert));
    const signed = signedHeaders({ id: alert.id, body, now: clock.now() }, secrets);
    return send({ url: url.trim(), headers: { ...json2, ...signed }, body }, options);
  }
  function preview(alert, { url_ref, url, secret_ref }) {
    return {
      method: "POST",
      url: url_ref === void 0 ? coveredUrl(url ?? "") : formatSecretRef(url_ref),
      headers: {
        ...json2,
        "webhook-id": alert.id,
        "webhook-timestamp": "<seconds>",
        ...secret_ref !== void 0 && { "webhook-signature": `v1,<signed with ${formatSecretRef(secret_ref)}>` }
      },
      body: bodyOf2(alert)
    };
  }
  return { resolves: false, deliver, preview };
}
function coveredUrl(text3) {
  return URL.canParse(text3) && new URL(text3).origin !== "null" ? `${new URL(text3).origin}/<redacted>` : "<redacted>";
}
function missing(what) {
  return { delivered: false, reason: `there is no value for ${what}` };
}

// src/alerts/wording.ts
var sentences = {
  stale: ({ task, attempt }) => `Nothing is heard of attempt ${attempt} of ${task.name}.`,
  restart_exhausted: ({ task, attempt }) => `${task.name} failed for good with attempt ${attempt}.`,
  needs_human: ({ task }) => `${task.name} awaits a person\u2019s verdict.`,
  budget_exceeded: ({ task }) => `The budget of ${task.name}, or of its run, is spent.`,
  verifier_failed: ({ task, attempt }) => `The result of attempt ${attempt} of ${task.name} could not be checked.`,
  run_completed: ({ run }) => `${run.name} completed.`
};
function sentenceOf(alert) {
  return sentences[alert.class](alert);
}
function commandsOf({ run, task }) {
  return [`flotilla status ${run.id}`, `flotilla inspect ${run.id} ${task.id}`];
}
function bodyOf(alert) {
  const { run, task, attempt, worker, reason } = alert;
  return {
    type: `flotilla.alert.${alert.class}`,
    timestamp: new Date(alert.raisedAt).toISOString(),
    data: {
      alert_id: alert.id,
      class: alert.class,
      run_id: run.id,
      run_name: run.name,
      task_id: task.id,
      task_name: task.name,
      attempt,
      ...worker !== void 0 && { worker_id: worker },
      ...reason !== void 0 && { reason },
      summary: sentenceOf(alert),
      commands: commandsOf(alert)
    }
  };
}

// src/alerts/pager-duty.ts
var eventsUrl = "https://events.pagerduty.com/v2/enqueue";
var mostOfSummary = 1024;
var pagerDutySeverities = ["critical", "error", "warning", "info"];
function pagerDutySink({
  send,
  secret,
  url = eventsUrl
}) {
  async function deliver(alert, channel2, options) {
    const ref = parseSecretText(channel2.routing_key);
    const key = ref === void 0 ? channel2.routing_key : await secret(ref, alert.run.id);
    if (ref !== void 0 && (key ?? "").trim() === "") return missing(formatSecretRef(ref));
    const body = JSON.stringify({ routing_key: key?.trim(), ...eventOf(alert, channel2) });
    return send({ url, headers: { "content-type": "application/json", "user-agent": "flotilla" }, body }, options);
  }
  function preview(alert, channel2) {
    const ref = parseSecretText(channel2.routing_key);
    return {
      method: "POST",
      url,
      headers: { "content-type": "application/json", "user-agent": "flotilla" },
      body: { routing_key: ref === void 0 ? "<redacted>" : formatSecretRef(ref), ...eventOf(alert, channel2) }
    };
  }
  return { resolves: true, deliver, preview };
}
function eventOf(alert, { severity }) {
  const named2 = { event_action: alert.action, dedup_key: alert.incident };
  if (alert.action === "resolve") return named2;
  return {
    ...named2,
    payload: {
      summary: sentenceOf(alert).slice(0, mostOfSummary),
      source: `flotilla/${alert.run.id}`,
      severity,
      timestamp: new Date(alert.raisedAt).toISOString(),
      component: alert.task.id,
      group: alert.run.id,
      class: alert.class,
      custom_details: bodyOf(alert)["data"]
    }
  };
}

// src/alerts/slack.ts
function slackSink(parts2) {
  return endpointSink(parts2, slackMessage);
}
var marks = {
  stale: ":hourglass:",
  restart_exhausted: ":x:",
  needs_human: ":raising_hand:",
  budget_exceeded: ":moneybag:",
  verifier_failed: ":grey_question:",
  run_completed: ":white_check_mark:"
};
function slackMessage(alert) {
  const { run, task, attempt, worker, reason } = alert;
  const head = `${marks[alert.class]} *${escaped(sentenceOf(alert))}*`;
  const field = (name, value) => ({ type: "mrkdwn", text: `*${name}*
${escaped(value)}` });
  return {
    // What notifications show, and readers that show no blocks.
    text: escaped(`${sentenceOf(alert)} (${run.name})`),
    blocks: [
      { type: "section", text: { type: "mrkdwn", text: reason === void 0 ? head : `${head}
${escaped(reason)}` } },
      {
        type: "section",
        fields: [
          field("Run", `${run.name} (${run.id})`),
          field("Task", `${task.name} (${task.id})`),
          field("Attempt", worker === void 0 ? String(attempt) : `${attempt}, on ${worker}`),
          field("Alert", alert.class)
        ]
      },
      {
        type: "context",
        elements: [
          {
            type: "mrkdwn",
            text: commandsOf(alert).map((command) => `\`${escaped(command)}\``).join(" | ")
          }
        ]
      }
    ]
  };
}
function escaped(text3) {
  return text3.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

// src/alerts/webhook.ts
function webhookSink(parts2) {
  return endpointSink(parts2, bodyOf);
}

// src/alerts/sinks.ts
function createAlertSinks(parts2) {
  return {
    slack: slackSink(parts2),
    webhook: webhookSink(parts2),
    pager_duty: pagerDutySink({ ...parts2, url: parts2.pagerDutyUrl })
  };
}

// src/fleet/kept-addresses.ts
async function keepAddresses(blobs, run, tasks) {
  if (!tasks.some(({ alert_policy }) => alert_policy?.channels.some(holdsValue))) return tasks;
  const kept = /* @__PURE__ */ new Map();
  async function keep2(value) {
    const before = kept.get(value);
    if (before !== void 0) return before;
    const { sha256: sha2562 } = await blobs.put(run, new TextEncoder().encode(value));
    const ref = { key: sha2562, source: keptSource };
    kept.set(value, ref);
    return ref;
  }
  const done = [];
  for (const task of tasks) {
    const { alert_policy } = task;
    if (alert_policy === void 0 || !alert_policy.channels.some(holdsValue)) done.push(task);
    else {
      const channels = [];
      for (const channel2 of alert_policy.channels) channels.push(await namedOnly(channel2, keep2));
      done.push({ ...task, alert_policy: { ...alert_policy, channels } });
    }
  }
  return done;
}
async function openKept(blobs, run, { key }) {
  const bytes = await blobs.open(run, key);
  return bytes === void 0 ? void 0 : new TextDecoder().decode(bytes);
}
function keptAddressesOf({ alert_policy }) {
  return (alert_policy?.channels ?? []).flatMap((channel2) => {
    const ref = channel2.kind === "pager_duty" ? parseSecretText(channel2.routing_key) : channel2.url_ref;
    return ref?.source === keptSource ? [ref.key] : [];
  });
}
function holdsValue(channel2) {
  return channel2.kind === "pager_duty" ? parseSecretText(channel2.routing_key) === void 0 : channel2.url !== void 0;
}
async function namedOnly(channel2, keep2) {
  if (!holdsValue(channel2)) return channel2;
  if (channel2.kind === "pager_duty") return { ...channel2, routing_key: formatSecretRef(await keep2(channel2.routing_key)) };
  const { url, ...rest } = channel2;
  return url === void 0 || rest.url_ref !== void 0 ? rest : { ...rest, url_ref: await keep2(url) };
}

// src/fleet/alerts.ts
function alertSinksOf(options, parts2) {
  const { allowPrivateAddresses = false, allowHttp = false, ca, timeoutMs, pagerDutyUrl } = options;
  const { clock, blobs } = parts2;
  const send = lateSender(allowPrivateAddresses, {
    clock,
    allowHttp,
    ...ca !== void 0 && { ca },
    ...timeoutMs !== void 0 && { timeoutMs }
  });
  const secret = (ref, run) => ref.source === keptSource ? openKept(blobs, run, ref) : parts2.secret(ref);
  return { ...createAlertSinks({ send, secret, clock, pagerDutyUrl }), ...options.sinks };
}
function lateSender(allowPrivate, options) {
  let loading;
  async function load() {
    const [{ createHttpSender }, { addressPolicy }] = await Promise.all([
      import("./chunks/http-sender-CYRVV4SV.js"),
      import("./chunks/address-policy-F477WRB3.js")
    ]);
    return createHttpSender({ ...options, policy: addressPolicy({ private: allowPrivate }) });
  }
  return async (request, delivery) => (await (loading ??= load()))(request, delivery);
}

// src/host/temporary-folder.ts
import { mkdtemp, realpath as realpath3, rm as rm2 } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as join2 } from "node:path";
async function createTemporaryFolder(prefix = "flotilla-") {
  const path = await realpath3(await mkdtemp(join2(tmpdir(), prefix)));
  const remove = () => rm2(path, { recursive: true, force: true });
  return { path, remove, [Symbol.asyncDispose]: remove };
}

// src/fleet/attempts-folder.ts
function createAttemptsFolder(ofStore, isElsewhere2) {
  let temporary;
  return {
    async open() {
      if (ofStore !== void 0) return ofStore;
      if (isElsewhere2) return "/fleet";
      temporary = await createTemporaryFolder();
      return temporary.path;
    },
    remove: async () => temporary?.remove()
  };
}

// src/engine/tagged.ts
function isTagged(spec, tags) {
  return tags === void 0 || tags.some((tag) => spec.tags.includes(tag));
}

// src/engine/commands/restart.ts
function* restartTasks(context, run, tasks) {
  const { now } = context;
  if (isEndedRun(run.status)) {
    yield { on: run.header.id, kind: "run.stepped", run: runStep(run, { type: "restart" }, now) };
  }
  for (const task of restartedWith(run, tasks)) {
    yield* restartOne(context, run, task);
    yield* blockDependants(run, task);
  }
}
function restartedWith(run, tasks) {
  const reopened = new Set(tasks);
  for (const task of reopened) {
    if (task.status !== "failed" && task.status !== "cancelled") continue;
    for (const id of run.dependants.get(task.id) ?? []) {
      const dependant = run.tasks.get(id);
      if (dependant?.status === "cancelled" && dependant.cause === task.id) reopened.add(dependant);
    }
  }
  return [...reopened];
}
function* blockDependants(run, task) {
  for (const id of run.dependants.get(task.id) ?? []) {
    const dependant = run.tasks.get(id);
    if (dependant?.status !== "enqueued" && dependant?.status !== "backoff") continue;
    yield { on: run.header.id, kind: "task.stepped", task: id, set: leaseStep(dependant, { type: "block" }) };
  }
}
function* restartOne(context, run, task) {
  const live = isLeased(task.status);
  const blocked = task.openDependencies > 0;
  const events = [
    ...live ? [{ state: "interrupted", signal: "restart" }] : [],
    ...blocked ? [] : [{ state: "queued" }]
  ];
  yield {
    on: run.header.id,
    kind: "task.stepped",
    task: task.id,
    ...live && { attempt: task.attempt },
    set: {
      ...leaseStep(task, { type: "restart", blocked, delayed: false }),
      enqueuedAt: context.now,
      ...live && { spentMs: spentMs(task, context.now) },
      ...cleared(
        task,
        "endedAt",
        "timeoutAt",
        "timeoutMs",
        "pending",
        "notBefore",
        "notBeforeMs",
        "process",
        "cause",
        "overBudget",
        "permissions",
        "route"
      ),
      released: false,
      stale: false,
      settled: false
    },
    ...reported(task, live ? task.worker : null, events),
    ...isWorking(task.status) && { effects: ["worker.stop"] }
  };
}

// src/engine/commands/run.ts
var changed = (message) => ({ changed: true, message });
var unchanged = (message) => ({ changed: false, message });
function* createRun(context, header, tasks, start) {
  yield* beginRun(context, header, tasks.length);
  yield* addSlices(context, header.id, tasks);
  yield* openRun(context, header.id, start);
}
function* beginRun(context, header, taskCount) {
  if (context.state.runs.has(header.id))
    throw refuse2("run_exists", `A run ${header.id} exists in this store. Leave the id out, or choose another.`);
  yield { on: header.id, kind: "run.created", created: header, taskCount, run: { updatedAt: context.now } };
}
function* openRun(context, runId2, start) {
  yield { on: runId2, kind: "run.opened", run: { opened: true } };
  const run = context.state.runs.get(runId2);
  if (run === void 0) throw new Error(`The run ${runId2} vanished while it was created.`);
  if (start) yield* startRun(context, run);
}
function* addTasks(context, run, tasks) {
  if (run.sealed)
    throw refuse2(
      "run_sealed",
      `The run ${run.header.id} takes no more tasks: it was ${run.header.open ? "sealed" : "not created open"}.`
    );
  if (tasks.length === 0) return unchanged("No task was given.");
  refuseOverBudget(run.overBudget ?? void 0, `the run ${run.header.id} takes no more tasks`);
  yield* addSlices(context, run.header.id, tasks);
  for (const spec of tasks) {
    const task = run.tasks.get(spec.id);
    if (task !== void 0) yield* cancelHopeless(context, run, task);
  }
  return changed(`${tasks.length} task(s) were added.`);
}
function* startRun(context, run) {
  if (run.status !== "pending") return unchanged(`The run ${run.header.id} is ${run.status}.`);
  yield { on: run.header.id, kind: "run.stepped", run: runStep(run, { type: "start" }, context.now) };
  yield* endRun(context, run);
  return changed(`The run ${run.header.id} was started.`);
}
function* pauseRun(context, run) {
  if (run.status === "paused") return unchanged(`The run ${run.header.id} is paused already.`);
  if (isEndedRun(run.status)) return unchanged(`The run ${run.header.id} has ended ${run.status}.`);
  yield { on: run.header.id, kind: "run.stepped", run: runStep(run, { type: "pause" }, context.now) };
  return changed(`The run ${run.header.id} was paused.`);
}
function* resumeRun(context, run) {
  if (run.status !== "paused") return unchanged(`The run ${run.header.id} is ${run.status}, not paused.`);
  yield { on: run.header.id, kind: "run.stepped", run: runStep(run, { type: "resume" }, context.now) };
  return changed(`The run ${run.header.id} was resumed.`);
}
function* cancelRun(context, run, by, reason) {
  if (isEndedRun(run.status)) return unchanged(`The run ${run.header.id} has ended ${run.status}.`);
  yield { on: run.header.id, kind: "run.stepped", run: { ...runStep(run, { type: "cancel" }, context.now), sealed: true } };
  let count2 = 0;
  for (const task of run.tasks.values()) {
    if (isEndedTask(task.status)) continue;
    yield* cancelTask(context, run, task, { by, reason, cause: null });
    count2 += 1;
  }
  return changed(`The run ${run.header.id} was cancelled, with ${count2} open task(s).`);
}
function* sealRun(context, run) {
  if (run.sealed) return unchanged(`The run ${run.header.id} takes no more tasks already.`);
  yield { on: run.header.id, kind: "run.sealed", run: { sealed: true, updatedAt: context.now } };
  yield* endRun(context, run);
  return changed(`The run ${run.header.id} was sealed.`);
}
function failedTasks(run, tags) {
  return [...run.tasks.values()].filter((task) => task.status === "failed" && isTagged(task.spec, tags));
}
function* retryFailed(context, run, failed2) {
  if (failed2.length === 0) return unchanged(`No task of the run ${run.header.id} has failed.`);
  const able = failed2.filter((task) => overBudgetOf(run, task, context.now) === void 0);
  const spent = failed2.length - able.length;
  const left2 = spent === 0 ? "" : ` ${spent} stay failed: their budget is spent.`;
  if (able.length === 0) return unchanged(`No failed task was enqueued again.${left2}`);
  yield* restartTasks(context, run, able);
  return changed(`${able.length} failed task(s) were enqueued again.${left2}`);
}
function* addSlices(context, runId2, tasks) {
  const { taskSlice } = context.defaults;
  for (let from = 0; from < tasks.length; from += taskSlice) {
    const slice = tasks.slice(from, from + taskSlice);
    yield {
      on: runId2,
      kind: "tasks.added",
      run: { updatedAt: context.now },
      tasks: slice.map((spec) => ({ spec, set: firstStep(spec, context.now) }))
    };
  }
  const run = context.state.runs.get(runId2);
  if (run === void 0) return;
  for (const spec of tasks) {
    const task = run.tasks.get(spec.id);
    if (task?.status === "blocked" && task.openDependencies === 0) yield* unblock(context, run, task);
  }
}

// src/engine/commands/task.ts
function* cancelOneTask(context, run, task, cancel) {
  if (isEndedTask(task.status)) return { changed: false, message: `The task ${task.id} has ended ${task.status}.` };
  if (cancel.attempt !== void 0 && (cancel.attempt !== task.attempt || !isLeased(task.status))) {
    const live = isLeased(task.status) ? `attempt ${task.attempt} is` : "none is";
    throw refuse2("refused", `The attempt ${cancel.attempt} of the task ${task.id} is not live; ${live}. Nothing was changed.`, {
      attempt: task.attempt
    });
  }
  yield* cancelTask(context, run, task, { by: cancel.by, reason: cancel.reason, cause: null });
  yield* afterTaskEnded(context, run, task);
  return { changed: true, message: `The task ${task.id} was cancelled.` };
}
function* cancelTagged(context, run, cancel) {
  let count2 = 0;
  for (const task of run.tasks.values()) {
    if (isEndedTask(task.status) || !isTagged(task.spec, cancel.tags)) continue;
    yield* cancelTask(context, run, task, { by: cancel.by, reason: cancel.reason, cause: null });
    yield* afterTaskEnded(context, run, task);
    count2 += 1;
  }
  const tags = `of the tags ${cancel.tags.join(", ")}`;
  if (count2 === 0) return { changed: false, message: `No open task of the run ${run.header.id} has one ${tags}.` };
  return { changed: true, message: `${count2} open task(s) with one ${tags} were cancelled.` };
}
function* restartThese(context, run, tasks) {
  for (const task of tasks) refuseOverBudget(overBudgetOf(run, task, context.now), `the task ${task.id} cannot be tried again`);
  yield* restartTasks(context, run, tasks);
  return { changed: true, message: `The task ${tasks.map(({ id }) => id).join(", ")} was enqueued again.` };
}
function* settleTask(context, run, task, latest, verdict2) {
  const { now } = context;
  const receipt = latest?.receipt;
  if (!isSettleable(task) || receipt === void 0 || task.receipts.at(-1) !== latest?.seq) {
    throw refuse2(
      "not_settleable",
      `The task ${task.id} has no partial verdict to settle: ${standing(task)}. Nothing was changed.`,
      {
        status: task.status
      }
    );
  }
  const passes = verdict2.result === "pass";
  yield {
    on: run.header.id,
    kind: "task.settled",
    // The row of the run follows: its counters changed (RU7).
    run: { updatedAt: now },
    task: task.id,
    attempt: task.attempt,
    set: { settled: true, ...!passes && { ...leaseStep(task, { type: "overturn" }), endedAt: now } },
    receipt: settledReceipt(receipt, verdict2, now)
  };
  if (!passes && (run.status === "completed" || run.status === "cancelled")) {
    yield { on: run.header.id, kind: "run.stepped", run: runStep(run, { type: "overturn" }, now) };
  }
  yield* afterTaskEnded(context, run, task);
  return { changed: true, message: `The task ${task.id} was settled: ${verdict2.result}, by ${verdict2.by}.` };
}
function isSettleable(task) {
  return task.status === "completed" && task.result === "partial";
}
function settledReceipt(receipt, verdict2, now) {
  const passes = verdict2.result === "pass";
  const { failure_kind: _, ...rest } = receipt;
  return {
    ...rest,
    completed_at: instant(now),
    result: verdict2.result,
    ...!passes && { failure_kind: "task" },
    score: verdict2.score ?? { value: passes ? 1 : 0, max: 1 },
    settled: { by: verdict2.by, ...verdict2.why !== void 0 && { why: verdict2.why } }
  };
}
function standing(task) {
  if (task.status !== "completed") return `it is ${task.status}`;
  return task.settled ? "it was settled before" : `its result is ${task.result ?? "unknown"}`;
}

// src/engine/run-command.ts
var performers = {
  "run.start": carriedOn(onRun((context, run) => startRun(context, run))),
  "run.pause": onRun((context, run) => pauseRun(context, run)),
  "run.resume": carriedOn(onRun((context, run) => resumeRun(context, run))),
  "run.cancel": onRun(
    (context, run, command) => cancelRun(context, run, command.by, command.reason ?? "cancelled")
  ),
  "run.seal": onRun((context, run) => sealRun(context, run)),
  "run.retry_failed": restarting(
    (run, command) => failedTasks(run, command.tags),
    (context, run, tasks) => retryFailed(context, run, tasks)
  ),
  "tasks.cancel": onRun(
    (context, run, { tags, by, reason = "cancelled" }) => cancelTagged(context, run, { tags, by, reason })
  ),
  "task.cancel": onTask(
    (context, run, task, command) => cancelOneTask(context, run, task, { by: command.by, reason: command.reason ?? "cancelled", attempt: command.attempt })
  ),
  "task.restart": restarting(
    (run, command) => [taskOf(run, command.task_id)],
    (context, run, tasks) => restartThese(context, run, tasks)
  ),
  "task.settle": settle
};
function performCommand(engine, command, posted) {
  return engine.use(command.run_id, async (run) => {
    if (run?.opened !== true) throw unknownRun(command.run_id);
    if (posted !== void 0 && run.posted.has(posted)) return { changed: false, message: "The command was taken before." };
    const perform = performers[command.kind];
    return perform(engine, run, command, posted);
  });
}
function unknownRun(id) {
  return new FleetError("unknown_run", `No run ${id} in this store. List the runs with fleet.runs() or \`flotilla list\`.`, {
    details: { run_id: id }
  });
}
function unknownTask(run, id) {
  return new FleetError("unknown_task", `The run ${run.header.id} has no task ${id}.`, {
    details: { run_id: run.header.id, task_id: id }
  });
}
function onRun(decide) {
  return (engine, run, command, posted) => engine.command((context) => marked(decide(context, present(engine, run.header.id), command), posted));
}
function onTask(decide) {
  return onRun((context, run, command) => decide(context, run, taskOf(run, command.task_id), command));
}
function restarting(select, decide) {
  const shortOnes = (run, command) => restartedWith(run, select(run, command)).filter((task) => task.isShort);
  const perform = onRun((context, run, command) => {
    if (shortOnes(run, command).length > 0) return undecided();
    return decide(context, run, select(run, command));
  });
  return async (engine, run, command, posted) => {
    for (; ; ) {
      const short2 = shortOnes(present(engine, run.header.id), command);
      if (short2.length > 0) await readWhole(engine, run.header.id, short2);
      const outcome = await perform(engine, run, command, posted);
      if (outcome !== void 0) return outcome;
    }
  };
}
async function readWhole(engine, id, short2) {
  await engine.settled();
  const specs = await readSpecs(engine.core, id, short2);
  lengthen(present(engine, id), specs);
  const lost = short2.find((task) => !specs.has(task.id));
  if (lost === void 0) return;
  throw new FleetError(
    "store_damaged",
    `The spec of the task ${lost.id} of run ${id} cannot be read from the store, so it cannot be restarted. Restore the store from a copy.`,
    { details: { run_id: id, task_id: lost.id } }
  );
}
function* undecided() {
}
async function settle(engine, run, command, posted) {
  await engine.settled();
  const seq = taskOf(run, command.task_id).receipts.at(-1);
  const latest = seq === void 0 ? void 0 : { seq, receipt: await readReceipt(engine.core.store, run.header.id, seq) };
  return onTask(
    (context, found, task, { verdict: verdict2 }) => settleTask(context, found, task, latest, verdict2)
  )(engine, run, command, posted);
}
function carriedOn(perform) {
  return async (engine, run, command, posted) => {
    const outcome = await perform(engine, run, command, posted);
    const now = present(engine, run.header.id);
    now.carried = true;
    updateTurn(engine.core.state, now);
    engine.core.turns.nudge();
    return outcome;
  };
}
function present(engine, id) {
  const run = engine.core.state.runs.get(id);
  if (run === void 0) throw unknownRun(id);
  return run;
}
function taskOf(run, id) {
  const task = run.tasks.get(id);
  if (task === void 0) throw unknownTask(run, id);
  return task;
}
function* marked(decision, posted) {
  let mark2 = posted;
  let step = decision.next();
  while (step.done !== true) {
    yield mark2 === void 0 ? step.value : { ...step.value, posted: mark2 };
    mark2 = void 0;
    step = decision.next();
  }
  return step.value;
}

// src/protocol/path-check.ts
function* checkingPaths(tasks, under) {
  const problems = [];
  if (!Array.isArray(tasks)) return problems;
  for (const [index, task] of tasks.entries()) {
    if (isRecord(task))
      for (const problem of problemsOfTask(task)) problems.push({ ...problem, path: [under, index, ...problem.path] });
    yield;
  }
  return problems;
}
function problemsOfTask({ workspace, input_files, scorer }) {
  const place = isRecord(workspace) ? workspace : {};
  return [
    ...checked2(["workspace", "root"], place["root"], pathProblem),
    ...checkedList(["workspace", "required_files"], place["required_files"]),
    ...checkedList(["workspace", "writable_paths"], place["writable_paths"]),
    ...checkedList(["input_files"], input_files),
    ...checked2(["scorer", "path"], isRecord(scorer) ? scorer["path"] : void 0, pathProblem)
  ];
}
function checkedList(path, files) {
  return Array.isArray(files) ? files.flatMap((file, index) => checked2([...path, index], file, relativeProblem)) : [];
}
function checked2(path, text3, check) {
  const problem = typeof text3 === "string" ? check(text3) : void 0;
  return problem === void 0 ? [] : [{ path, expected: "a path that stays in the workspace", got: `${quote(String(text3))}, which ${problem}` }];
}

// src/protocol/task-reading.ts
function* readingTasks(list2, under) {
  const tasks = [];
  const problems = [];
  for (const [index, item] of list2.entries()) {
    const reading = readPart(FleetTaskSpec.schema, item, [under, index]);
    tasks.push(reading.ok ? reading.value : item);
    if (!reading.ok) problems.push(...reading.problems);
    yield;
  }
  return { tasks, problems };
}

// src/protocol/task-list.ts
var taskList = contract("tasks", () => object({ tasks: list(FleetTaskSpec.schema) }));
function* parsingTasks(input, { knownIds, roles }) {
  const copy = yield* copyingJson({ tasks: input });
  const document = copy.value;
  if (!isRecord(document) || !Array.isArray(document["tasks"])) return taskList.parse({ tasks: input }).tasks;
  const read2 = yield* readingTasks(document["tasks"], "tasks");
  const between = yield* checkingTasks(read2.tasks, { knownIds, roles, under: "tasks" });
  const paths = yield* checkingPaths(read2.tasks, "tasks");
  const problems = [...yield* mergingProblems(copy.problems, read2.problems), ...between, ...paths];
  if (problems.length > 0) throw yield* reportingInvalid("tasks", problems);
  return read2.tasks;
}

// src/fleet/alert-acceptance.ts
function alertProblems(policy) {
  return policy.channels.flatMap(
    (channel2, index) => Object.entries(problemsOf2(channel2)).flatMap(
      ([field, reason]) => reason === void 0 ? [] : [{ path: `channels[${index}].${field}`, reason }]
    )
  );
}
function problemsOf2(channel2) {
  if (channel2.kind === "pager_duty") {
    const known3 = pagerDutySeverities.includes(channel2.severity);
    return {
      routing_key: ownSource(parseSecretText(channel2.routing_key)),
      severity: known3 ? void 0 : `PagerDuty knows the severities ${pagerDutySeverities.join(", ")}`
    };
  }
  const { url, url_ref, secret_ref } = channel2;
  return {
    url: url_ref === void 0 ? urlProblem(url) : void 0,
    url_ref: ownSource(url_ref),
    secret_ref: ownSource(secret_ref)
  };
}
function ownSource(ref) {
  return ref?.source === keptSource ? `the source ${keptSource} is the fleet's own; name another, or none` : void 0;
}
function urlProblem(text3) {
  if (text3 === void 0) return "there is no address to post to; name its secret in url_ref";
  const url = URL.canParse(text3) ? new URL(text3) : void 0;
  if (url === void 0) return "this is no URL";
  if (url.protocol === "https:" || url.protocol === "http:" && isThisMachine(url.hostname)) return void 0;
  return "alerts are sent over https only";
}
function isThisMachine(host2) {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(host2);
}

// src/fleet/secrets-refused.ts
function secretsRefused(run, secrets) {
  const refs = run.security_policy?.allowed_secrets ?? [];
  if (refs.length === 0) return [];
  const commands = run.tasks.find((task) => task.metadata["command"] !== void 0);
  const keys = /* @__PURE__ */ new Set();
  const refusals = refs.flatMap((ref, index) => {
    const again = keys.has(ref.key);
    keys.add(ref.key);
    const under = `security_policy.allowed_secrets[${index}]`;
    return problemsOf3(ref, { again, secrets, command: commands?.id }).map(({ field, reason }) => ({
      path: `${under}.${field}`,
      reason
    }));
  });
  const most = run.security_policy?.max_trust_level ?? "operator";
  if (mayAccessSecrets(most)) return refusals;
  return [
    ...refusals,
    {
      path: "security_policy.allowed_secrets",
      reason: `at ${most}, the highest level that the policy allows, nobody may have them`
    }
  ];
}
function problemsOf3(ref, about) {
  const told3 = formatSecretRef(ref);
  const unresolvable = about.secrets.unresolvable(ref);
  const unusable = about.command === void 0 ? void 0 : variableProblem(ref.key);
  return [
    ...unresolvable === void 0 ? [] : [{ field: ref.source === void 0 ? "key" : "source", reason: `${told3}: ${unresolvable}` }],
    ...about.again ? [{ field: "key", reason: `${told3}: another one has this key, and they are handed over by key` }] : [],
    ...unusable === void 0 ? [] : [{ field: "key", reason: `${told3} ${unusable}, and the task ${about.command} is a command` }]
  ];
}

// src/transports/ssh/ssh-host.ts
import { homedir } from "node:os";
import { join as join3, resolve } from "node:path";
function readSshHost(spec, auth) {
  const problems = [...problemsOf4(spec, auth), ...contradictions(spec, auth), ...pinProblems(spec, auth)];
  if (problems.length > 0) return { problems };
  const { command, codewhale_binary: binary, working_directory: workingDirectory } = spec;
  const identity = auth?.identity ?? spec.identity;
  const knownHosts = auth?.known_hosts ?? spec.known_hosts;
  return {
    host: {
      host: spec.host,
      port: spec.port ?? 22,
      user: auth?.user ?? spec.user,
      identity: identity === void 0 ? void 0 : localPath(identity),
      knownHosts: knownHosts === void 0 ? void 0 : localPath(knownHosts),
      fingerprint: (auth?.host_key_fingerprint ?? spec.host_key_fingerprint)?.replace(/=+$/, ""),
      workingDirectory,
      environment: spec.env_allowlist,
      command: command ?? (binary === void 0 ? void 0 : [binary])
    }
  };
}
var rules2 = {
  host: [/^[A-Za-z0-9._:][A-Za-z0-9._:%-]*$/, "expected a name or an address of a host: letters, digits and . _ : % -"],
  user: [/^[A-Za-z0-9._][A-Za-z0-9._@+\\-]*$/, 'expected the name of a user: letters, digits and . _ @ + \\ -, no "-" first'],
  fingerprint: [
    /^SHA256:[A-Za-z0-9+/]{43}=?$/,
    'expected the SHA-256 fingerprint of a host key: "SHA256:" and 43 characters of base64'
  ],
  variable: [/^[A-Za-z_][A-Za-z0-9_]*$/, "expected names of variables that a shell can export: letters, digits and _"],
  directory: [/^\//, "expected an absolute path on the host"],
  text: [/^[^\0]*$/, "expected a text without NUL"],
  word: [/^[^\0]+$/, "expected a text that is not empty, without NUL"]
};
function problemsOf4(spec, auth) {
  const checked3 = [
    ["host.host", spec.host, "host"],
    ["host.user", spec.user, "user"],
    ["host.identity", spec.identity, "word"],
    ["host.known_hosts", spec.known_hosts, "word"],
    ["host.host_key_fingerprint", spec.host_key_fingerprint, "fingerprint"],
    ["host.working_directory", spec.working_directory, "directory"],
    ["host.working_directory", spec.working_directory, "text"],
    ...spec.env_allowlist.map((name, at) => [`host.env_allowlist[${at}]`, name, "variable"]),
    ["host.codewhale_binary", spec.codewhale_binary, "word"],
    ...(spec.command ?? []).map((word2, at) => [`host.command[${at}]`, word2, at === 0 ? "word" : "text"]),
    ["auth.identity", auth?.identity, "word"],
    ["auth.known_hosts", auth?.known_hosts, "word"],
    ["auth.host_key_fingerprint", auth?.host_key_fingerprint, "fingerprint"],
    ["auth.user", auth?.user, "user"]
  ];
  return [
    ...checked3.flatMap(([path, value, rule]) => {
      const [pattern2, reason] = rules2[rule];
      return value === void 0 || pattern2.test(value) ? [] : [{ path, reason }];
    }),
    ...spec.command?.length === 0 ? [{ path: "host.command", reason: "expected a program" }] : [],
    ...spec.port === 0 ? [{ path: "host.port", reason: "expected a port from 1" }] : []
  ];
}
function contradictions(spec, auth) {
  if (auth === void 0) return [];
  const twice = ["identity", "known_hosts", "host_key_fingerprint", "user"];
  return twice.filter((field) => spec[field] !== void 0 && auth[field] !== void 0 && spec[field] !== auth[field]).map((field) => ({ path: `auth.${field}`, reason: `says something else than host.${field}: name it once` }));
}
function pinProblems(spec, auth) {
  const pins = [spec.known_hosts, spec.host_key_fingerprint, auth?.known_hosts, auth?.host_key_fingerprint];
  if (pins.some((pin) => pin !== void 0)) return [];
  return [{ path: "host", reason: "no key of the host is pinned: name host_key_fingerprint, or known_hosts" }];
}
function localPath(path) {
  return path.startsWith("~/") ? join3(homedir(), path.slice(2)) : resolve(path);
}

// src/transports/ssh/ssh.ts
var sshEnforces = unconfined("nothing confines what runs at another host over ssh");
function sshTransport(parts2) {
  const load = async () => (await import("./chunks/launched-RU4XXFJ7.js")).commandsOverSsh(parts2);
  return { ...commandsOver("ssh", { enforces: () => sshEnforces, load }), verifiesIdentity: true };
}

// src/transports/ssh/ssh-launcher.ts
function sshLauncher(parts2) {
  const { command } = parts2.host;
  if (command === void 0) throw new TypeError("A host without a worker program has no launcher. Give it a command.");
  return {
    kind: "ssh",
    enforces: sshEnforces,
    sharesFiles: false,
    async start(order2) {
      const { startOverSsh } = await import("./chunks/launched-RU4XXFJ7.js");
      return startOverSsh(parts2, command, order2);
    }
  };
}

// src/fleet/ssh.ts
var programs = { ssh: "ssh", "ssh-keyscan": "ssh-keyscan", "ssh-keygen": "ssh-keygen" };
var limits3 = { connectSeconds: 10, aliveSeconds: 15, aliveCount: 3, startLimitMs: 3e4 };
function ssh(options) {
  const { handlers, plain, reuse, startTimeoutMs, connectTimeoutMs = limits3.connectSeconds * 1e3 } = options;
  const pool = {
    ...handlers !== void 0 && { handlers },
    ...plain !== void 0 && { plain },
    ...reuse !== void 0 && { reuse },
    ...startTimeoutMs !== void 0 && { startTimeoutMs }
  };
  const problems = [];
  const spec = FleetHostSpec.safeParse({
    kind: "ssh",
    host: options.host,
    port: options.port,
    user: options.user,
    identity: options.identity,
    known_hosts: options.knownHosts,
    host_key_fingerprint: options.hostKeyFingerprint,
    working_directory: options.workingDirectory,
    env_allowlist: options.envAllowlist ?? [],
    command: options.command
  });
  if (!spec.success) problems.push(spec.error.message);
  if (!(connectTimeoutMs >= 1e3))
    problems.push(`connectTimeoutMs: expected at least 1000 milliseconds, got ${connectTimeoutMs}`);
  if (options.command === void 0 && Object.keys(pool).length > 0)
    problems.push(`${Object.keys(pool).join(", ")}: only for worker programs: name their command`);
  const read2 = spec.success && spec.data.kind === "ssh" ? readSshHost(spec.data) : { problems: [] };
  if ("problems" in read2) problems.push(...read2.problems.map(({ path, reason }) => `${optionOf(path)}: ${reason}`));
  problems.push(
    ...secretNames(options.envAllowlist ?? []).map(
      (name) => `envAllowlist: ${name} looks like a secret: grant it as a secret instead`
    )
  );
  if (problems.length > 0 || !("host" in read2)) {
    throw new FleetError("invalid_option", `The host cannot be reached over ssh:
${problems.join("\n")}`, {
      details: { problems }
    });
  }
  const ports = { clock: systemClock(), environment: systemEnvironment() };
  const times = { ...limits3, connectSeconds: Math.ceil(connectTimeoutMs / 1e3) };
  return transportTo2(read2.host, ports, { times, pool: options.command === void 0 ? {} : checked(pool) });
}
function optionOf(path) {
  return path.replace(/^host\./, "").replace(/_([a-z])/g, (_, letter2) => letter2.toUpperCase());
}
function sshWorker({ host: host2, auth }, ports) {
  if (host2.kind !== "ssh") throw new TypeError(`A host of the kind ${host2.kind} is not reached over ssh.`);
  const read2 = readSshHost(host2, auth?.method === "ssh_key" ? auth : void 0);
  if ("host" in read2) return transportTo2(read2.host, ports, { times: limits3, pool: { plain: true } });
  const reason = read2.problems.map((problem) => `${problem.path}: ${problem.reason}`).join("; ");
  return {
    kind: "ssh",
    enforces: sshEnforces,
    heartbeats: "fleet",
    startsAtOnce: false,
    survives: false,
    serves: { handlers: [], commands: false, plain: false },
    open: () => Promise.reject(new FleetError("invalid_option", `The host cannot be reached over ssh: ${reason}`))
  };
}
function sshProblems({ host: host2, auth }) {
  if (host2.kind !== "ssh") return [];
  const read2 = readSshHost(host2, auth?.method === "ssh_key" ? auth : void 0);
  return [
    ..."problems" in read2 ? read2.problems : [],
    ...secretNames(host2.env_allowlist).map((name) => ({
      path: `host.env_allowlist[${host2.env_allowlist.indexOf(name)}]`,
      reason: `${name} looks like a secret: grant it as a secret instead`
    }))
  ];
}
function secretNames(names3) {
  return names3.filter(secretLikeName);
}
function transportTo2(host2, { clock, environment, redactor }, how) {
  const parts2 = { host: host2, clock, environment, limits: how.times, programs };
  const files = diskFiles();
  if (host2.command === void 0) return sshTransport({ ...parts2, files, redactor });
  return { ...poolTransport({ ...how.pool, launcher: sshLauncher(parts2), clock, files }), verifiesIdentity: true };
}

// src/fleet/acceptance.ts
var checkedProofs = {
  local: ["none", "token"],
  ssh: ["none", "ssh_key"],
  docker: ["none"]
};
var unenforcedOfWorker = [
  [
    "auth",
    ({ auth, host: host2 }) => auth !== void 0 && !checkedProofs[host2.kind].includes(auth.method),
    "nobody checks this proof of who the worker is at a host of its kind"
  ]
];
function* refusingUnenforceable(run, { secrets }, found) {
  if (run.target === "cloud") {
    throw new FleetError(
      "unsupported_target",
      "target: no worker here can be in the cloud. Leave `target` out, or name a computer."
    );
  }
  const refusals = [
    ...found,
    ...run.worker_specs.flatMap((worker, index) => refusedOfWorker(worker, `worker_specs[${index}].`)),
    ...yield* refusingTasks(run.tasks),
    ...run.security_policy === void 0 ? [] : grantProblems(run.security_policy),
    ...secretsRefused(run, secrets),
    ...tokensRefused(run, secrets)
  ];
  yield* throwingRefusals(refusals);
}
function tokensRefused(run, secrets) {
  return run.worker_specs.flatMap(({ auth }, index) => {
    const reason = auth?.method === "token" ? secrets.unresolvable(auth.token_ref) : void 0;
    return reason === void 0 ? [] : [{ path: `worker_specs[${index}].auth.token_ref`, reason }];
  });
}
function* refusingUnenforceableTasks(tasks, found) {
  yield* throwingRefusals([...found, ...yield* refusingTasks(tasks)]);
}
function* refusingTasks(tasks) {
  const found = [];
  for (const [index, task] of tasks.entries()) {
    const under = `tasks[${index}].`;
    if (task.alert_policy !== void 0) {
      for (const { path, reason } of alertProblems(task.alert_policy))
        found.push({ path: `${under}alert_policy.${path}`, reason });
    }
    const { environment } = task.workspace ?? {};
    if (environment !== void 0) {
      for (const problem of environmentProblems(environment))
        found.push({ path: `${under}workspace.environment`, reason: problem });
    }
    yield;
  }
  return found;
}
function refusedOfWorker(worker, under) {
  const problems = [...sshProblems(worker), ...containerProblems(worker)].map(({ path, reason }) => ({
    path: under + path,
    reason
  }));
  return [...refused(unenforcedOfWorker, worker, under), ...problems];
}
function refused(rows, subject, under) {
  return rows.filter(([, check]) => check(subject) === true).map(([path, , reason]) => ({ path: under + path, reason }));
}
function* throwingRefusals(refusals) {
  if (refusals.length === 0) return;
  const lines = [];
  for (const { path, reason } of refusals) {
    lines.push(`${path}: ${reason}`);
    yield;
  }
  throw new FleetError("unenforceable", `What this asks for cannot be enforced here, so it is refused:
${lines.join("\n")}`, {
    details: { problems: refusals }
  });
}

// src/fleet/calls.ts
function createFleetCalls(engine, parts2) {
  const { registrar, creations } = parts2;
  return {
    create: ({ spec, start, options }) => creations.create(spec, start, options),
    perform: (command) => performCommand(engine, command),
    add: ({ run, tasks }) => addToRun(engine, run, tasks, parts2.profiles),
    delete: ({ run: id }) => engine.use(id, (run) => deleteRun(engine, id, run)),
    async addWorker(plan) {
      registrar.add(plan);
      await registrar.ready();
    },
    drain: ({ worker, graceMs }) => registrar.drain(worker, graceMs),
    close: parts2.close
  };
}
async function addToRun(engine, id, input, profiles) {
  for (; ; ) {
    const outcome = await engine.use(id, (run) => addOnce(engine, id, run, input, profiles));
    if (outcome !== void 0) return outcome;
  }
}
async function addOnce(engine, id, run, input, profiles) {
  if (run?.opened !== true) throw unknownRun(id);
  const accepted = await inSlices(accepting(engine, run, input, profiles), engine.core.clock);
  const tasks = await keepAddresses(engine.core.store.blobs, id, accepted);
  return engine.command((context) => adding(context, run, tasks));
}
function* adding(context, run, tasks) {
  const { id } = run.header;
  if (context.state.runs.get(id) !== run) return void 0;
  const taken = tasks.filter((task) => run.tasks.has(task.id)).map((task) => task.id);
  if (taken.length > 0)
    throw new FleetError("invalid_document", `The run ${id} has tasks of these ids already: ${taken.join(", ")}.`);
  return yield* addTasks(context, run, tasks);
}
function* accepting(engine, run, input, profiles) {
  const tasks = yield* parsingTasks(input, { knownIds: run.tasks, roles: run.header.roles });
  const merging = yield* mergingProfiles(tasks, run.header, profiles);
  yield* refusingUnenforceableTasks(tasks, merging.refusals);
  return merging.tasks;
}
async function deleteRun(engine, id, run) {
  if (run?.opened !== true) throw unknownRun(id);
  await engine.settled();
  if (run.completedAt === null) {
    throw new FleetError("run_open", `The run ${id} is ${run.status}. Wait for its end, or cancel it first.`, {
      details: { status: run.status }
    });
  }
  const stopping = [...engine.core.presence.all()].filter((attempt) => attempt.run === id).map((attempt) => attempt.task);
  if (stopping.length > 0) {
    throw new FleetError(
      "run_open",
      `The run ${id} has ended, but attempts are still being stopped: ${stopping.join(", ")}. Try again shortly.`
    );
  }
  const unsettled = engine.core.state.runs.get(id)?.unsettled ?? run.unsettled;
  if (unsettled > 0) {
    throw new FleetError(
      "run_open",
      `The run ${id} has ended, but alerts of it are still to be delivered: ${unsettled}. Try again when they are, or were given up.`,
      { details: { unsettled } }
    );
  }
  await engine.drop(id);
}

// src/fleet/close.ts
async function closeEngine(engine, { graceMs, hurry }) {
  const { core } = engine;
  engine.leasing = false;
  const closed = new AbortController();
  const patienceMs3 = graceMs + core.defaults.stopGraceMs;
  void core.clock.sleep(patienceMs3, { signal: AbortSignal.any([closed.signal, hurry]) }).then(() => {
    if (!closed.signal.aborted) engine.giveUpOnStore();
  });
  await untilNothingWorks(engine, graceMs, hurry);
  core.turns.report(releaseAll2);
  await engine.settled();
  const alertGraceMs = Math.min(graceMs, core.defaults.alertCloseGraceMs);
  await engine.alerts.close({ graceMs: hurry.aborted ? 0 : alertGraceMs, hurry });
  await engine.settled();
  engine.closing = true;
  engine.effects.close();
  await closeWorkers(engine, hurry.aborted ? 0 : Math.min(graceMs, core.defaults.stopGraceMs), hurry);
  await engine.effects.idle();
  await engine.reports.idle();
  await engine.settled();
  core.deadlines.close();
  closed.abort();
  await engine.keepFleetStream();
  await engine.saveSnapshots();
}
function* releaseAll2(context) {
  for (const run of context.state.runs.values()) {
    if (run.working === 0) continue;
    for (const task of [...run.tasks.values()]) {
      if (isWorking(task.status))
        yield* releaseAttempt(context, run, task, { reason: "fleet_closed", crash: false, stillRunning: true });
    }
  }
}
async function closeWorkers(engine, graceMs, hurry) {
  const reason = "the fleet was closed";
  const closed = engine.host.close({ reason, graceMs });
  const closeAtOnce = () => void engine.host.close({ reason, graceMs: 0 });
  hurry.addEventListener("abort", closeAtOnce);
  await closed;
  hurry.removeEventListener("abort", closeAtOnce);
}
async function untilNothingWorks(engine, graceMs, hurry) {
  const { core } = engine;
  const end = core.clock.monotonic() + graceMs;
  while (core.presence.size > 0 && !hurry.aborted && core.clock.monotonic() < end) {
    const ended2 = new AbortController();
    const watch = core.presence.onEnd(() => ended2.abort());
    await core.clock.sleep(end - core.clock.monotonic(), { signal: AbortSignal.any([ended2.signal, hurry]) });
    watch();
  }
  await engine.settled();
}

// src/protocol/json-weight.ts
var perMember = 8;
function weigh(value) {
  let weight = perMember;
  if (typeof value === "string") weight += value.length;
  else if (Array.isArray(value)) for (const item of value) weight += weigh(item);
  else if (isRecord(value)) for (const key of Object.keys(value)) weight += key.length + weigh(value[key]);
  return weight;
}

// src/engine/creation.ts
var sliceOfMany = { tasks: 250, weight: 262144 };
var onlySliceWeight = 1048576;
var firstWaitMs2 = 50;
var longestWaitMs2 = 5e3;
async function createInSlices(engine, { header, tasks, start }, hooks) {
  const { taskSlice } = engine.core.defaults;
  if (sliceEnd(tasks, 0, { tasks: taskSlice, weight: onlySliceWeight }) === tasks.length)
    return engine.command((context) => createRun(context, header, tasks, start));
  const limits4 = { ...sliceOfMany, tasks: Math.min(taskSlice, sliceOfMany.tasks) };
  await hooks.turn();
  let done = sliceEnd(tasks, 0, limits4);
  const first = tasks.slice(0, done);
  await engine.command((context) => beginWith(context, header, tasks.length, first));
  try {
    while (done < tasks.length) {
      await hooks.turn();
      const slice = tasks.slice(done, sliceEnd(tasks, done, limits4));
      await engine.command((context) => addSlices(context, header.id, slice));
      done += slice.length;
    }
    await hooks.turn();
    await engine.command((context) => openRun(context, header.id, start));
  } catch (error) {
    hooks.takeBack(header.id);
    throw error;
  }
}
function* beginWith(context, header, taskCount, first) {
  yield* beginRun(context, header, taskCount);
  yield* addSlices(context, header.id, first);
}
async function takeBack(engine, run, closed) {
  for (let tries = 0; ; tries += 1) {
    try {
      if (await engine.look(run, (found) => found === void 0 || found.opened)) return;
      await engine.discard(run);
      return;
    } catch (error) {
      if (closed.aborted || FleetError.is(error, "store_conflict")) return;
    }
    await engine.core.clock.sleep(Math.min(longestWaitMs2, firstWaitMs2 * 2 ** tries), { signal: closed, keepAlive: false });
  }
}
function sliceEnd(tasks, from, limits4) {
  let weight = 0;
  let end = from;
  for (; end < tasks.length && end - from < limits4.tasks; end += 1) {
    weight += weigh(tasks[end]);
    if (weight > limits4.weight && end > from) break;
  }
  return end;
}

// src/protocol/run-spec.ts
import { z as z10 } from "zod";
var FleetRunSpec = contract(
  "FleetRunSpec",
  () => runSpecOf(list(FleetTaskSpec.schema), {
    between: ({ tasks, roles }) => allAtOnce(checkingTasks(tasks, { roles, under: "tasks" })),
    paths: ({ tasks }) => allAtOnce(checkingPaths(tasks, "tasks"))
  })
);
function* parsingRunSpec(input) {
  const copy = yield* copyingJson(input);
  const document = isRecord(copy.value) ? copy.value : {};
  const list2 = document["tasks"];
  if (!Array.isArray(list2) || list2.length === 0) return valueOf2(readCopy(FleetRunSpec.schema, copy));
  const read2 = yield* readingTasks(list2, "tasks");
  const between = yield* checkingTasks(read2.tasks, { roles: document["roles"], under: "tasks" });
  const paths = yield* checkingPaths(read2.tasks, "tasks");
  const standing2 = { [inTasks]: read2.problems, [betweenTasks]: between, [inPaths]: paths };
  const reading = yield* readingCopy(aroundTasks.schema, { ...copy, value: { ...document, tasks: standing2 } }, standing2);
  if (!reading.ok) throw yield* reportingInvalid(FleetRunSpec.typeName, reading.problems);
  return { ...reading.value, tasks: read2.tasks };
}
function valueOf2(reading) {
  if (reading.ok) return reading.value;
  throw invalidDocument(FleetRunSpec.typeName, reading.problems);
}
var inTasks = " tasks";
var betweenTasks = " between tasks";
var inPaths = " paths of tasks";
function standIn(found, phrase) {
  return found[phrase].length === 0 ? [] : [{ path: [], expected: phrase, got: "" }];
}
var tasksRead = z10.custom().superRefine((found, context) => {
  for (const problem of standIn(found, inTasks)) addProblem(context, problem);
});
var aroundTasks = contract(
  "FleetRunSpec",
  () => runSpecOf(tasksRead, {
    between: ({ tasks }) => standIn(tasks, betweenTasks),
    paths: ({ tasks }) => standIn(tasks, inPaths)
  })
);
function runSpecOf(tasks, { between, paths }) {
  const whole = { when: () => true };
  return aliased(
    object({ id: optional(runId), name: displayName, tasks, ...runOptions(), ...runExtras() }).superRefine(
      refineRun((run) => [...between(run), ...workerProblems(run)]),
      whole
    ).superRefine(refineRun(paths), whole).superRefine(refineRun(emptyProblems), whole),
    { workers: "worker_specs" }
  );
}
function emptyProblems(run) {
  if (run["open"] === true || !Array.isArray(run["tasks"]) || run["tasks"].length > 0) return [];
  return [{ path: ["tasks"], expected: "at least one task, or `open: true` beside it", got: "none" }];
}

// src/host/secrets.ts
function createSecrets(sources2, { problemOf: problemOf2 }) {
  const asked = ({ source }) => source === void 0 ? sources2 : sources2.filter((one) => one.source === source);
  const unresolvable = (ref) => {
    if (asked(ref).length > 0) return void 0;
    if (ref.source === void 0) return "no source of secrets is given; pass `secrets` to the fleet";
    return `no source ${JSON.stringify(ref.source)} is given; pass one in \`secrets\`${sources2.length === 0 ? "" : `, or name ${namesOf(sources2)}`}`;
  };
  const valueOf3 = async (ref, signal) => {
    const missing3 = unresolvable(ref);
    if (missing3 !== void 0) throw unresolved(`${missing3}.`);
    for (const source of asked(ref)) {
      const value = await unlessAborted(askSource(source, ref.key, signal), signal);
      if (value === void 0) continue;
      const problem = problemOf2(value);
      if (problem !== void 0) throw unresolved(`its value ${problem}.`);
      return value;
    }
    throw unresolved(`it is not in ${namesOf(asked(ref))}.`);
  };
  return {
    unresolvable,
    async resolve(refs, { signal }) {
      const found = await Promise.allSettled(refs.map((ref) => valueOf3(ref, signal)));
      const problems = found.flatMap((one, index) => {
        const ref = refs[index];
        if (one.status === "fulfilled" || ref === void 0) return [];
        return [`The secret ${formatSecretRef(ref)} cannot be resolved: ${wordsOf(one.reason)}`];
      });
      if (problems.length > 0) return { problems };
      const values = found.map((one, index) => [refs[index]?.key ?? "", one.status === "fulfilled" ? one.value : ""]);
      return { values: Object.fromEntries(values) };
    }
  };
}
async function askSource(source, key, signal) {
  const value = await source.resolve(key, { signal });
  if (value === void 0 || typeof value === "string") return value;
  throw unresolved(`the source ${source.source} gave no text.`);
}
function unlessAborted(asked, signal) {
  return new Promise((resolve4, reject) => {
    const giveUp = () => reject(unresolved("it took too long."));
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    asked.then(resolve4, reject).finally(() => signal.removeEventListener("abort", giveUp));
  });
}
function wordsOf(thrown) {
  if (FleetError.is(thrown, "secret_unresolved")) return thrown.message;
  const name = thrown instanceof Error && /^[A-Za-z]{1,64}$/.test(thrown.name) ? thrown.name : "something";
  return `its source threw ${name}.`;
}
function unresolved(message) {
  return new FleetError("secret_unresolved", message);
}
function namesOf(sources2) {
  return [...new Set(sources2.map(({ source }) => source))].join(", ");
}

// src/fleet/secrets-of.ts
function secretsOf({ secrets = [] }) {
  const sources2 = isSources(secrets) ? secrets : [secrets];
  const problems = sources2.flatMap(
    (source, index) => isSource(source) ? [] : [`secrets[${index}]: expected an object with a name as its \`source\`, and \`resolve\``]
  );
  if (problems.length > 0) {
    throw new FleetError("invalid_option", `The sources of secrets cannot be used:
${problems.join("\n")}`, {
      details: { problems }
    });
  }
  return createSecrets(sources2, { problemOf: secretValueProblem });
}
function isSources(secrets) {
  return Array.isArray(secrets);
}
function isSource(source) {
  if (typeof source !== "object" || source === null || !("source" in source) || !("resolve" in source)) return false;
  return typeof source.source === "string" && source.source.trim() !== "" && typeof source.resolve === "function";
}

// src/fleet/spec-workers.ts
var ways = {
  local: (_, host2) => commandTransport(host2),
  ssh: sshWorker,
  docker: containerWorker
};
function workerOfSpec(spec, host2) {
  const transport = dialInOfSpec(spec) ?? ways[spec.host.kind](spec, host2);
  const kind = transport.dialsIn === true ? "remote" : spec.host.kind;
  return {
    transport,
    facts: {
      id: spec.id,
      serves: transport.serves,
      capabilities: spec.capabilities,
      roles: namesIn(spec.labels["role"]),
      host: kind,
      verified: kind === "local" || transport.verifiesIdentity === true,
      trust: spec.trust_level,
      // Asked for only when it matters: looking takes a moment.
      get enforces() {
        return transport.enforces;
      },
      checks: transport.checks,
      runsUnenforced: false,
      slots: spec.max_concurrent_tasks ?? 1
    }
  };
}

// src/fleet/workers-of.ts
import { availableParallelism } from "node:os";
import { isAbsolute as isAbsolute4 } from "node:path";

// src/transports/in-process.ts
function inProcessTransport({ worker, clock }) {
  return {
    kind: "in-process",
    enforces: { network: false, fileWrites: false, environment: false, processes: false },
    heartbeats: "fleet",
    startsAtOnce: true,
    survives: false,
    serves: { ...worker.serves, commands: false },
    async open({ workerId: workerId2, incarnation }, { signal }) {
      signal.throwIfAborted();
      const messages = createMessageChannel();
      messages.push({ type: "hello", worker_id: workerId2, incarnation, attempts: [] });
      return createChannel({ messages, connection: worker.connect(messages.push), clock });
    }
  };
}
function createChannel(parts2) {
  const { messages, connection, clock } = parts2;
  let announceEnd;
  const closed = new Promise((resolve4) => announceEnd = resolve4);
  let closing;
  const settled = new AbortController();
  const finish2 = async (reason, graceMs) => {
    const ended2 = connection.close(reason).then(() => settled.abort());
    await Promise.race([ended2, clock.sleep(graceMs, { signal: settled.signal })]);
    messages.end();
    announceEnd({ reason, asked: true });
  };
  return {
    send(message) {
      if (closing === void 0 || message.type !== "assign") connection.receive(message);
    },
    messages,
    closed,
    close({ reason, graceMs }) {
      if (closing !== void 0 && graceMs === 0) settled.abort();
      return closing ??= finish2(reason, graceMs);
    }
  };
}

// src/worker/non-retryable-error.ts
var mark = /* @__PURE__ */ Symbol.for("flotilla.NonRetryableError");
var NonRetryableError = class extends Error {
  name = "NonRetryableError";
  static {
    Object.defineProperty(this.prototype, mark, { value: true });
  }
};
function isNonRetryable(thrown) {
  return thrown instanceof Error && (mark in thrown || thrown.name === "NonRetryableError");
}

// src/worker/attempt-secrets.ts
function createAttemptSecrets(secrets = {}) {
  return {
    keys: Object.keys(secrets),
    has: (key) => Object.hasOwn(secrets, key),
    get(key) {
      const value = Object.hasOwn(secrets, key) ? secrets[key] : void 0;
      if (value === void 0) throw notHanded(key);
      return value;
    }
  };
}
function notHanded(key) {
  const cause = new FleetError(
    "secret_unresolved",
    `This attempt was not handed <secret:${key}>. Name it in security_policy.allowed_secrets, and run the task at trust level local or above.`
  );
  return new NonRetryableError(cause.message, { cause });
}

// src/worker/failure.ts
var longestReasonBytes = 4096;
var AttemptFailure = class extends Error {
  retryable;
  constructor(reason, retryable) {
    super(reason);
    this.name = "AttemptFailure";
    this.retryable = retryable;
  }
};
var FailedWork = class {
  reason;
  recoverable;
  constructor({ reason, recoverable }) {
    this.reason = reason;
    this.recoverable = recoverable;
  }
};
function failureOf(thrown) {
  if (thrown instanceof AttemptFailure) return { reason: thrown.message, recoverable: thrown.retryable };
  return { reason: wordsOf2(thrown), recoverable: !isNonRetryable(thrown) };
}
function bounded2(text3) {
  if (text3.length * 3 <= longestReasonBytes) return text3;
  const { read: read2 } = new TextEncoder().encodeInto(text3, new Uint8Array(longestReasonBytes));
  return text3.slice(0, read2);
}
function wordsOf2(thrown) {
  try {
    if (!(thrown instanceof Error)) return `threw ${String(thrown)}`;
    return thrown.message === "" ? thrown.name : `${thrown.name}: ${thrown.message}`;
  } catch {
    return "threw a value that cannot be shown";
  }
}

// src/worker/json-output.ts
function toJson(value, name = "output") {
  const { value: json3, problems } = copyJson(value);
  if (problems.length === 0) return { ok: true, json: json3 };
  const complaints = problems.map(({ path, expected: expected2, got }) => `${formatPath([name, ...path])}: expected ${expected2}, got ${got}`);
  return { ok: false, complaints: complaints.join("; ") };
}

// src/worker/route-report.ts
var expected = "text that holds no credential";
var fields = {
  provider_id: { of: "providerId", required: true },
  provider_exact_id: { of: "providerExactId", required: false },
  provider_kind: { of: "providerKind", required: true },
  canonical_model: { of: "canonicalModel", required: false },
  wire_model_id: { of: "wireModelId", required: false },
  protocol: { of: "protocol", required: true },
  model_route: { of: "modelRoute", required: false },
  reasoning_effort: { of: "reasoningEffort", required: false }
};
function routeReport(route) {
  const given = Object.fromEntries(Object.entries(fields).map(([name, { of }]) => [name, route[of]]));
  const { value: copy, problems: unreadable2 } = copyJson(given);
  const report = {};
  const complaints = [];
  for (const [name, { required }] of Object.entries(fields)) {
    const value = Reflect.get(Object(copy), name);
    const isAbsent = value === void 0 || value === null;
    if (typeof value !== "string") {
      if (required || !isAbsent) complaints.push({ path: [name], expected, got: describeFound(value, [name]) });
    } else if (holdsCredential(value)) complaints.push({ path: [name], expected, got: describeHidden(value) });
    else report[name] = value;
  }
  const problems = allAtOnce(mergingProblems(unreadable2, complaints));
  if (problems.length > 0) throw invalidDocument("the route", problems);
  return report;
}

// src/worker/attempt-context.ts
function createAttemptContext(input, parts2) {
  return new WorkContext(input, parts2);
}
var parts = /* @__PURE__ */ Symbol("parts");
var made = /* @__PURE__ */ Symbol("made");
var WorkContext = class {
  task;
  input;
  number;
  runId;
  budgetLeft;
  allowParallelReads;
  previous;
  /** A function, since what is printed of a context must not show its secrets (SE5). */
  [parts];
  [made];
  constructor(input, given) {
    const { assign: assign3 } = given;
    this.task = assign3.task;
    this.input = input;
    this.number = assign3.attempt;
    this.runId = assign3.run_id;
    this.budgetLeft = assign3.budget_left ?? {};
    this.allowParallelReads = assign3.allow_parallel_reads;
    this.previous = assign3.previous;
    this[parts] = () => given;
    this[made] = void 0;
  }
  get signal() {
    return this[parts]().stopping.signal;
  }
  get handBack() {
    return this[parts]().handingBack.signal;
  }
  get dependencies() {
    this[made] ??= {};
    return this[made].dependencies ??= Object.fromEntries(
      this[parts]().assign.dependencies.map(({ task_id, receipt }) => [task_id, { receipt, output: receipt.output }])
    );
  }
  get secrets() {
    return createAttemptSecrets(this[parts]().assign.secrets);
  }
  get folder() {
    const given = this[parts]();
    return withRoom(given, () => {
      given.makeFolder(given.assign.folder);
      return given.assign.folder;
    });
  }
  get root() {
    return withRoom(this[parts](), () => this[parts]().assign.root);
  }
  get modelWait() {
    return reportsOf(this).modelWait;
  }
  get tool() {
    return reportsOf(this).tool;
  }
  get workflow() {
    return reportsOf(this).workflow;
  }
  get usage() {
    return reportsOf(this).usage;
  }
  get route() {
    return reportsOf(this).route;
  }
  get log() {
    return reportsOf(this).log;
  }
  get artifact() {
    return reportsOf(this).artifact;
  }
  get delay() {
    return reportsOf(this).delay;
  }
  get fail() {
    return reportsOf(this).fail;
  }
};
function reportsOf(context) {
  context[made] ??= {};
  return context[made].reports ??= createReports2(context[parts]());
}
function createReports2(parts2) {
  const requireLive = () => parts2.requireLive();
  return {
    ...createProgressReports(parts2),
    artifact: (artifact) => harmless(async () => {
      requireLive();
      return parts2.reports.report(contentOf(artifact));
    }),
    delay: (ms) => harmless(async () => {
      requireLive();
      await untilStopped(ms, parts2);
      requireLive();
    }),
    fail(reason, { retryable = true } = {}) {
      requireLive();
      throw new AttemptFailure(reason, retryable);
    }
  };
}
function untilStopped(ms, { clock, stopping }) {
  return new Promise((resolve4) => {
    const disarm = clock.alarm(ms, wake, { keepAlive: true });
    const forget2 = stopping.onStop(wake);
    function wake() {
      disarm();
      forget2();
      resolve4();
    }
  });
}
function createProgressReports(parts2) {
  const requireLive = () => parts2.requireLive();
  const key = attemptKey(parts2.assign);
  const send = (message) => {
    parts2.send(message);
    return Promise.resolve();
  };
  const progress2 = (event) => {
    requireLive();
    return send({ ...key, type: "progress", event });
  };
  return {
    modelWait: (model) => progress2({ state: "model_wait", ...model === void 0 ? {} : { model } }),
    tool: (tool, callId) => progress2({ state: "running_tool", tool, ...callId === void 0 ? {} : { call_id: callId } }),
    workflow: (workflowRunId, event) => progress2({ state: "workflow_event", workflow_run_id: workflowRunId, event: requireJson(event) }),
    usage(tokens) {
      requireLive();
      const input_tokens = requireCount("inputTokens", tokens.inputTokens);
      const output_tokens = requireCount("outputTokens", tokens.outputTokens);
      if (input_tokens === 0 && output_tokens === 0) return Promise.resolve();
      return send({ ...key, type: "usage", input_tokens, output_tokens });
    },
    route(route) {
      requireLive();
      return send({ ...key, type: "route", route: routeReport(route) });
    },
    log(text3) {
      requireLive();
      return send({ ...key, type: "log", text: text3.endsWith("\n") ? text3 : `${text3}
` });
    }
  };
}
function withRoom(parts2, make) {
  try {
    return make();
  } catch (error) {
    if (isFullDisk(error)) parts2.lackRoom();
    throw error;
  }
}
function contentOf(artifact) {
  const mime = artifact.mimeType === void 0 ? {} : { mime_type: artifact.mimeType };
  if ("path" in artifact) return { kind: artifact.kind, path: artifact.path, ...mime };
  const bytes = typeof artifact.content === "string" ? new TextEncoder().encode(artifact.content) : artifact.content;
  return { kind: artifact.kind, path: artifact.name, bytes, ...mime };
}
function requireCount(name, count2) {
  if (count2 === void 0) return 0;
  if (Number.isSafeInteger(count2) && count2 >= 0) return count2;
  throw new FleetError("invalid_option", `usage: ${name} is ${count2}, which is no number of tokens. Pass a whole number from 0.`);
}
function requireJson(event) {
  const checked3 = toJson(event, "event");
  if (checked3.ok && checked3.json !== void 0) return checked3.json;
  const problem = checked3.ok ? "event: expected a JSON value, got nothing" : checked3.complaints;
  throw new FleetError("invalid_option", `workflow: ${problem}. Pass plain data.`);
}
function harmless(run) {
  const promise = run();
  promise.catch(() => {
  });
  return promise;
}

// src/worker/standard-schema.ts
async function validate(schema, value, name) {
  const result = await schema["~standard"].validate(value);
  if (result.issues === void 0) return { ok: true, value: result.value };
  return { ok: false, complaints: result.issues.map((issue) => `${name}${pathOf(issue)}: ${issue.message}`).join("; ") };
}
function pathOf(issue) {
  return (issue.path ?? []).map((segment) => typeof segment === "object" ? segment.key : segment).map((key) => typeof key === "number" ? `[${key}]` : `.${String(key)}`).join("");
}

// src/worker/stop-signal.ts
function createStopSignal() {
  return new LazyStopSignal();
}
var LazyStopSignal = class {
  #reason;
  #controller;
  #listeners;
  get reason() {
    return this.#reason;
  }
  get signal() {
    if (this.#controller === void 0) {
      this.#controller = new AbortController();
      if (this.#reason !== void 0) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }
  onStop(act) {
    const listeners = (this.#listeners ??= /* @__PURE__ */ new Set()).add(act);
    return () => listeners.delete(act);
  }
  stop(why) {
    if (this.#reason !== void 0) return;
    this.#reason = why;
    this.#controller?.abort(why);
    for (const act of this.#listeners ?? []) act();
  }
};

// src/worker/run-attempt.ts
var roomlessRestMs = 1e3;
function runAttempt(options) {
  return new HandlerAttempt(options);
}
var HandlerAttempt = class {
  assign;
  clock;
  send;
  makeFolder;
  stopping = createStopSignal();
  handingBack = createStopSignal();
  done;
  #handler;
  #redact;
  #reports;
  #hasEnded = false;
  #lacksRoom = false;
  constructor({ assign: assign3, handler, clock, send, makeFolder: makeFolder2 = () => void 0, redact: redact2 = (text3) => text3 }) {
    this.assign = assign3;
    this.clock = clock;
    this.send = send;
    this.makeFolder = makeFolder2;
    this.#handler = handler;
    this.#redact = redact2;
    this.done = this.#run();
  }
  /** Made with the first report: most attempts make none. */
  get reports() {
    return this.#reports ??= createReportChannel(
      (report, content) => this.send({ ...attemptKey(this.assign), type: "artifact", report, ...content })
    );
  }
  requireLive() {
    const { stopping, assign: assign3 } = this;
    if (stopping.reason !== void 0) throw stopping.reason;
    if (!this.#hasEnded) return;
    const { attempt, task_id } = assign3;
    throw new FleetError("lease_lost", `Attempt ${attempt} of ${task_id} has ended. Report before the handler returns.`);
  }
  lackRoom() {
    this.#lacksRoom = true;
  }
  collected(message) {
    this.#reports?.collected(message);
  }
  handBack(reason) {
    this.handingBack.stop(new FleetError("budget_exceeded", reason));
  }
  stop(code2, reason) {
    const why = new FleetError(code2, reason);
    this.stopping.stop(why);
    this.#reports?.end(why);
  }
  async #run() {
    await Promise.resolve();
    const outcome = this.#hasStopped ? void 0 : await this.#work();
    this.#hasEnded = true;
    if (this.#lacksRoom && outcome?.type === "failed" && !this.#hasStopped) {
      await this.clock.sleep(roomlessRestMs, { signal: this.stopping.signal });
      this.#sendStopped(this.#hasStopped ? void 0 : "no room for the folder of the attempt");
    } else if (this.#hasStopped || outcome === void 0) this.#sendStopped(void 0);
    else this.send({ ...attemptKey(this.assign), ...this.#bounded(outcome) });
  }
  get #hasStopped() {
    return this.stopping.reason !== void 0;
  }
  #sendStopped(released) {
    this.send({ ...attemptKey(this.assign), type: "stopped", ...released !== void 0 && { released } });
  }
  /** Waits for no more than there is to wait for: a handler without schemas that reports nothing is awaited alone. */
  async #work() {
    const handler = this.#handler;
    const { task } = this.assign;
    try {
      const input = handler.input === void 0 ? { value: task.input } : await checkInput(handler.name, handler.input, task.input);
      if ("type" in input) return input;
      if (this.stopping.reason !== void 0) throw this.stopping.reason;
      const returned = await handler.run(createAttemptContext(input.value, this));
      if (returned instanceof FailedWork) return failed(returned);
      const unanswered = this.#reports?.settled();
      if (unanswered !== void 0) await unanswered;
      return handler.output === void 0 ? resultOf(returned) : await checkOutput(handler.name, handler.output, returned);
    } catch (thrown) {
      return failed(failureOf(thrown));
    }
  }
  #bounded(outcome) {
    return outcome.type === "failed" ? { ...outcome, reason: bounded2(this.#redact(outcome.reason)) } : outcome;
  }
};
async function checkInput(handler, schema, input) {
  const checked3 = await validate(schema, input, "input");
  if (checked3.ok) return checked3;
  return failed({ reason: `handler ${handler} refuses its input: ${checked3.complaints}`, recoverable: false });
}
async function checkOutput(handler, schema, returned) {
  const checked3 = await validate(schema, returned, "output");
  if (checked3.ok) return resultOf(checked3.value, true);
  return failed({
    reason: `invalid_output: handler ${handler} returned what its schema refuses: ${checked3.complaints}`,
    recoverable: true
  });
}
function resultOf(value, isAccepted = false) {
  const output = toJson(value);
  if (!output.ok) return failed({ reason: `invalid_output: ${output.complaints}`, recoverable: true });
  return {
    type: "result",
    ...output.json !== void 0 && { output: output.json },
    ...isAccepted && { schema_accepted: true }
  };
}
function failed({ reason, recoverable }) {
  return { type: "failed", failure_kind: "task", reason, recoverable };
}

// src/worker/handler-worker.ts
function handlerWorker(options) {
  const { clock, plain, makeFolder: makeFolder2 = () => void 0, redact: redact2 } = options;
  const handlers = new Map((options.handlers ?? []).map((handler) => [handler.name, handler]));
  if (handlers.size < (options.handlers ?? []).length) {
    throw new FleetError("invalid_option", "Two handlers have the same name, so a task could not tell them apart. Rename one.");
  }
  const plainHandler = plain && { name: "plain", run: (attempt) => plain(attempt.task, attempt) };
  return {
    serves: { handlers: [...handlers.keys()], plain: plain !== void 0 },
    connect: (send) => connect({
      clock,
      send,
      makeFolder: makeFolder2,
      redact: redact2,
      handlerOf: ({ handler }) => handler === void 0 ? plainHandler : handlers.get(handler)
    })
  };
}
function connect(options) {
  const { clock, send, makeFolder: makeFolder2, redact: redact2 } = options;
  const running = /* @__PURE__ */ new Map();
  const assign3 = (message) => {
    const name = attemptId(message);
    if (running.has(name)) return;
    const handler = options.handlerOf(message.task);
    if (handler === void 0) {
      const reason = `No handler ${message.task.handler ?? "for tasks without one"} here. This worker serves others.`;
      return send({ ...attemptKey(message), type: "failed", failure_kind: "task", reason, recoverable: false });
    }
    const attempt = runAttempt({ assign: message, handler, clock, send, makeFolder: makeFolder2, ...redact2 !== void 0 && { redact: redact2 } });
    running.set(name, attempt);
    void attempt.done.then(() => running.delete(name));
  };
  return {
    receive(message) {
      if (message.type === "assign") assign3(message);
      else if (message.type === "hand_back") running.get(attemptId(message))?.handBack(message.reason);
      else if (message.type === "stop") running.get(attemptId(message))?.stop(message.code, message.reason);
      else running.get(attemptId(message))?.collected(message);
    },
    async close(reason) {
      const attempts = [...running.values()];
      for (const attempt of attempts) attempt.stop("fleet_closed", reason);
      await Promise.all(attempts.map((attempt) => attempt.done));
    }
  };
}

// src/worker/handlers.ts
function taskHandlers(handlers) {
  return Object.entries(handlers).map(
    ([name, handler]) => (
      // A definition is a handler whose types the worker need not know.
      typeof handler === "function" ? { name, run: (attempt) => handler(attempt) } : handler
    )
  );
}

// src/fleet/workers-of.ts
function workersOf(options, host2) {
  const named2 = [...options.workers ?? []];
  if (options.handlers !== void 0) {
    named2.unshift({ id: "local", slots: options.slots ?? availableParallelism(), handlers: options.handlers });
  }
  const problems = named2.flatMap((worker, index) => problemsOf5(worker, `workers[${index}]`));
  const ids = named2.map((worker) => worker.id);
  for (const id of new Set(ids.filter((id2, at) => ids.indexOf(id2) !== at))) problems.push(`two workers have the id ${id}`);
  if (problems.length > 0) {
    throw new FleetError("invalid_option", `The workers cannot be registered:
${problems.join("\n")}`, { details: { problems } });
  }
  return named2.map((worker) => planOf(worker, host2));
}
function workerPlan(worker, host2) {
  const problems = problemsOf5(worker, "worker");
  if (problems.length > 0) throw new FleetError("invalid_option", `The worker cannot be registered:
${problems.join("\n")}`);
  return planOf(worker, host2);
}
function planOf(worker, host2) {
  const transport = transportOf(worker, host2);
  const kind = transport.kind === "ssh" || transport.kind === "docker" ? transport.kind : transport.survives ? "remote" : "local";
  return {
    transport,
    facts: {
      id: worker.id,
      serves: transport.serves,
      capabilities: worker.capabilities ?? [],
      roles: worker.roles ?? [],
      host: kind,
      verified: kind === "local" || transport.verifiesIdentity === true,
      trust: worker.trustLevel ?? "local",
      get enforces() {
        return transport.enforces;
      },
      checks: transport.checks ?? (kind === "local" ? localChecks(host2) : void 0),
      runsUnenforced: worker.runsUnenforced ?? false,
      slots: worker.slots ?? 1
    }
  };
}
function localChecks(host2) {
  return commandTransport(host2).checks;
}
function transportOf(worker, host2) {
  if (worker.transport !== void 0) return isHosted(worker.transport) ? worker.transport.within(host2) : worker.transport;
  if (worker.commands === true) return commandTransport({ ...host2, ...worker.sandbox && { sandbox: worker.sandbox } });
  const inProcess = handlerWorker({
    clock: host2.clock,
    makeFolder: host2.makeFolder,
    redact: (text3) => host2.redactor?.()?.text(text3) ?? text3,
    handlers: taskHandlers(worker.handlers ?? {}),
    ...worker.run !== void 0 && { plain: worker.run }
  });
  return inProcessTransport({ worker: inProcess, clock: host2.clock });
}
function problemsOf5(worker, path) {
  const problems = [];
  if (!isToken(worker.id) || worker.id === reservedId)
    problems.push(`${path}.id: expected 1\u2013128 of [A-Za-z0-9._-] other than "${reservedId}", got ${JSON.stringify(worker.id)}`);
  const { slots = 1 } = worker;
  if (!Number.isInteger(slots) || slots < 1) problems.push(`${path}.slots: expected an integer from 1, got ${slots}`);
  const ways2 = [
    worker.handlers !== void 0 || worker.run !== void 0,
    worker.commands === true,
    worker.transport !== void 0
  ];
  if (ways2.filter(Boolean).length !== 1) problems.push(`${path}: expected exactly one of handlers or run, commands, transport`);
  for (const [key, handler] of Object.entries(worker.handlers ?? {})) {
    if (typeof handler !== "function" && handler.name !== key) {
      problems.push(
        `${path}.handlers.${key}: its definition is named ${JSON.stringify(handler.name)}; the key and the name must be the same`
      );
    }
  }
  const isFunction = worker.handlers !== void 0 || worker.run !== void 0;
  if (worker.trustLevel === "sandbox" && isFunction && worker.runsUnenforced !== true) {
    problems.push(
      `${path}.trustLevel: nothing can hold a function of this process to sandbox; use local, or say runsUnenforced: true to run it unconfined`
    );
  }
  if (worker.sandbox !== void 0) problems.push(...sandboxProblems(worker, path));
  return problems;
}
function sandboxProblems({ sandbox = {}, commands }, path) {
  if (commands !== true) return [`${path}.sandbox: only a worker with commands runs them in sandboxes`];
  return Object.entries(sandbox).flatMap(([name, value]) => {
    if (name === "readable") {
      const isPaths = Array.isArray(value) && value.every((one) => typeof one === "string" && isAbsolute4(one));
      return isPaths ? [] : [`${path}.sandbox.readable: expected a list of absolute paths`];
    }
    if (!Object.hasOwn(sandboxLimits, name)) return [`${path}.sandbox.${name}: there is no such option`];
    const isSize = typeof value === "number" && Number.isSafeInteger(value) && value >= 1;
    return isSize ? [] : [`${path}.sandbox.${name}: expected an integer from 1, got ${String(value)}`];
  });
}

// src/fleet/check-run.ts
function checkRun2(input, options = {}) {
  const spec = FleetRunSpec.parse(input);
  checkOptions(options);
  const { tasks, refusals } = options.asStored === true ? { tasks: spec.tasks, refusals: [] } : allAtOnce(mergingProfiles(spec.tasks, spec, profileTables(options)));
  allAtOnce(refusingUnenforceable(spec, { secrets: secretsOf(options) }, refusals));
  const environment = systemEnvironment();
  const host2 = { clock: systemClock(), environment, containers: containerPorts(options.containers ?? {}, environment) };
  allAtOnce(throwingRefusals(runtimeProblems(spec.worker_specs, host2)));
  const workers = [
    ...workersOf(options, host2).map((plan) => plan.facts),
    ...spec.worker_specs.map((worker) => workerOfSpec(worker, host2).facts)
  ];
  const impossible = allAtOnce(findingImpossible({ ...spec, tasks }, workers));
  refuseUnenforced(spec, impossible);
  allAtOnce(refusingImpossible(impossible));
  return spec;
}
function refuseUnenforced(spec, tasks) {
  const refusals = /* @__PURE__ */ new Map();
  for (const { unenforced, asks } of tasks) {
    if (unenforced === void 0) continue;
    const { worker, reason } = unenforced;
    const place = spec.worker_specs.findIndex(({ id }) => id === worker);
    const isCut = spec.security_policy?.max_trust_level === "sandbox";
    const path = isCut ? "security_policy.max_trust_level" : asks ?? `worker_specs[${place}].trust_level`;
    if ((isCut || place >= 0 || asks !== void 0) && !refusals.has(path))
      refusals.set(path, { path, reason: `${worker} ${reason}` });
  }
  allAtOnce(throwingRefusals([...refusals.values()]));
}
function* refusingImpossible(tasks) {
  if (tasks.length === 0) return;
  const told3 = [];
  for (const { path, reasons } of tasks) {
    told3.push([`${path}: no worker can take it`, ...reasons.map((reason) => `  ${reason}`)].join("\n"));
    yield;
  }
  throw new FleetError("impossible_task", `Some tasks could never run:
${told3.join("\n")}`, { details: { tasks } });
}
function* findingImpossible(spec, workers) {
  const requirements = createRequirements(spec);
  const against = /* @__PURE__ */ new Map();
  const impossible = [];
  for (const [index, task] of spec.tasks.entries()) {
    const requirement = requirements.of(task);
    let found = against.get(requirement);
    if (found === void 0) against.set(requirement, found = findAgainst(requirement, workers));
    if (found.reasons.length > 0) {
      const asks = askingSandbox(task, `tasks[${index}].worker`);
      impossible.push({ id: task.id, path: `tasks[${index}] (${task.id})`, ...found, ...asks !== void 0 && { asks } });
    }
    yield;
  }
  return impossible;
}
function askingSandbox({ worker }, under) {
  if (worker?.trust_level !== "sandbox") return void 0;
  const source = worker.resolution?.sources["trust_level"] ?? "task.trust_level";
  const { agent_profile, role } = worker.resolution?.sources ?? {};
  if (source.startsWith("task.")) return `${under}.trust_level`;
  if (source.startsWith("run.")) return "worker_defaults.trust_level";
  const brought = source.startsWith("role_preset.") && role !== "agent_profile.role" ? ["role", role] : ["agent_profile", agent_profile];
  return brought[1]?.startsWith("run.") === true ? `worker_defaults.${brought[0]}` : `${under}.${brought[0]}`;
}
function findAgainst(requirement, workers) {
  if (workers.length === 0) return { reasons: ["no worker is registered"], unenforced: void 0 };
  const reasons = [];
  let unenforced;
  for (const worker of workers) {
    const unfit = misfits(requirement, worker);
    const lacking = unenforceable(requirement, worker);
    if (unfit.length + lacking.length === 0) return { reasons: [], unenforced: void 0 };
    if (unfit.length === 0) unenforced ??= { worker: worker.id, reason: lacking.join(", and ") };
    reasons.push(`${worker.id} ${[...unfit, ...lacking].join(", and ")}`);
  }
  return { reasons, unenforced };
}

// src/fleet/new-run.ts
import { createHash as createHash3 } from "node:crypto";
var headerFields = [
  "id",
  "name",
  "tasks",
  "labels",
  "worker_specs",
  "security_policy",
  "target",
  "workflow",
  "roles",
  "max_workers",
  "worker_defaults",
  "budget",
  "open"
];
function headerOf(spec, facts) {
  const extra = Object.entries(spec).filter(([field]) => !headerFields.includes(field));
  return {
    id: spec.id ?? facts.ids.next("run"),
    name: spec.name,
    short: facts.ids.next("r").replace(/^r-/, "").slice(0, 10),
    labels: spec.labels,
    worker_specs: spec.worker_specs,
    ...spec.security_policy !== void 0 && { security_policy: spec.security_policy },
    ...spec.target !== void 0 && { target: spec.target },
    ...spec.workflow !== void 0 && { workflow: spec.workflow },
    ...spec.roles !== void 0 && { roles: spec.roles },
    ...spec.max_workers !== void 0 && { max_workers: spec.max_workers },
    ...spec.worker_defaults !== void 0 && { worker_defaults: spec.worker_defaults },
    ...spec.budget !== void 0 && { budget: spec.budget },
    open: spec.open ?? false,
    createdAt: facts.now,
    ...facts.keyed,
    workspace: facts.workspace,
    ...extra.length > 0 && { extra: Object.fromEntries(extra) }
  };
}
function* digesting(spec) {
  const hash2 = createHash3("sha256");
  let before = "{";
  for (const [field, value] of Object.entries(sorted("", spec))) {
    if (value === void 0) continue;
    hash2.update(`${before}${JSON.stringify(field)}:`);
    if (Array.isArray(value)) yield* hashingList(hash2, value);
    else hash2.update(JSON.stringify(value, sorted));
    before = ",";
  }
  return hash2.update("}").digest("hex");
}
function* hashingList(hash2, list2) {
  let before = "[";
  for (const item of list2) {
    hash2.update(before + JSON.stringify(item, sorted));
    before = ",";
    yield;
  }
  hash2.update(before === "[" ? "[]" : "]");
}
function sorted(_, value) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1));
}

// src/fleet/creations.ts
function createCreations(engine, parts2) {
  const { store, ids, clock } = engine.core;
  const byKey = /* @__PURE__ */ new Map();
  const underWay = /* @__PURE__ */ new Set();
  const closed = new AbortController();
  const resting = {
    monotonic: () => clock.monotonic(),
    async turn() {
      await clock.turn();
      if (closed.signal.aborted) throw closedMeanwhile();
    }
  };
  function workersFor(spec) {
    const own = spec.worker_specs.map((worker) => workerOfSpec(worker, parts2.host).facts);
    return [...engine.workers.all().map((worker) => worker.facts), ...own];
  }
  async function createNew(input, start, options) {
    const key = options.idempotencyKey;
    const { spec, digest } = await inSlices(accepting2(input, key !== void 0, { ...parts2, core: engine.core }), resting);
    const existing = key === void 0 ? void 0 : await store.row({ key });
    if (existing !== void 0) return reattach(existing, spec, digest, start);
    if (spec.id !== void 0 && await store.row({ id: spec.id }) !== void 0) {
      throw new FleetError("run_exists", `A run ${spec.id} exists in this store. Leave the id out, or choose another.`);
    }
    allAtOnce(throwingRefusals(runtimeProblems(spec.worker_specs, parts2.host)));
    const impossible = await inSlices(findingImpossible(spec, workersFor(spec)), resting);
    refuseUnenforced(spec, impossible);
    if (options.impossible === "refuse") await inSlices(refusingImpossible(impossible), resting);
    for (const worker of spec.worker_specs) parts2.registrar.addFromFile(worker);
    const keyed = key === void 0 ? void 0 : { key, digest };
    const header = headerOf(spec, { ids, now: clock.now(), workspace: parts2.workspace, keyed });
    const { turn } = resting;
    const tasks = await keepAddresses(store.blobs, header.id, spec.tasks);
    await createInSlices(
      engine,
      { header, tasks, start },
      { turn, takeBack: (run) => void tracked(takeBack(engine, run, closed.signal)) }
    );
    return { id: header.id, created: true, warnings: impossible.map(warningOf) };
  }
  async function reattach(row, spec, digest, start) {
    if (row.digest !== digest) {
      throw new FleetError(
        "run_conflict",
        `The idempotency key belongs to the run ${row.id}, which has another spec. Use another key, or pass the same spec.`,
        { details: { run_id: row.id } }
      );
    }
    if (start) {
      for (const worker of spec.worker_specs) parts2.registrar.addFromFile(worker);
      await performCommand(engine, { kind: "run.start", run_id: row.id });
    }
    return { id: row.id, created: false, warnings: [] };
  }
  async function createWithKey(key, create) {
    const before = byKey.get(key);
    const mine = (before ?? Promise.resolve()).catch(() => void 0).then(create);
    byKey.set(key, mine);
    try {
      return await mine;
    } finally {
      if (byKey.get(key) === mine) byKey.delete(key);
    }
  }
  function tracked(work) {
    const settled = work.then(
      () => underWay.delete(settled),
      () => underWay.delete(settled)
    );
    underWay.add(settled);
    return work;
  }
  return {
    create(input, start, options) {
      const key = options.idempotencyKey;
      const create = () => createNew(input, start, options);
      return tracked(key === void 0 ? create() : createWithKey(key, create));
    },
    async close() {
      closed.abort();
      while (underWay.size > 0) await Promise.all(underWay);
    }
  };
}
function* accepting2(input, keyed, { profiles, core }) {
  const spec = yield* parsingRunSpec(input);
  const { tasks, refusals } = yield* mergingProfiles(spec.tasks, spec, profiles);
  yield* refusingUnenforceable(spec, core, refusals);
  const digest = keyed ? yield* digesting(spec) : "";
  return { spec: tasks === spec.tasks ? spec : { ...spec, tasks }, digest };
}
function warningOf({ path, reasons }) {
  return `${path}: no worker can take it: ${reasons.join("; ")}.`;
}
function closedMeanwhile() {
  return new FleetError(
    "fleet_closed",
    "The fleet was closed while the run was being created, so nothing of it is kept. Create it with the next fleet."
  );
}

// src/fleet/lacking.ts
function lackingOf(facts, { handlers, plain, capabilities: capabilities2 }) {
  return [
    ...missing2("the handler", facts.serves.handlers, handlers),
    ...facts.serves.plain && handlers !== void 0 && plain !== true ? ["tasks without a handler"] : [],
    ...missing2("the capability", facts.capabilities, capabilities2)
  ];
}
function missing2(what, wanted, said) {
  return said === void 0 ? [] : wanted.filter((name) => !said.includes(name)).map((name) => `${what} ${name}`);
}

// src/fleet/attach.ts
var helloTimeoutMs = 1e4;
function createWorkerDoor(engine, parts2) {
  const { clock, closed } = parts2;
  const greetings = /* @__PURE__ */ new Set();
  const covered = /* @__PURE__ */ new Map();
  closed.addEventListener("abort", () => {
    for (const greeting of greetings) greeting.abort();
    for (const { transport } of engine.workers.all()) if (isDialIn(transport)) transport.gate.close("the fleet was closed");
  });
  async function take(greeting, options) {
    const { hello } = greeting;
    const { worker_id: workerId2, incarnation } = hello;
    if (workerId2 === void 0 || incarnation === void 0 || !isToken(workerId2)) {
      throw refusal2("invalid_message", "A worker that dials in says its worker_id and its incarnation in its hello.");
    }
    greeting.line.pause(true);
    const worker = await workerOf(workerId2, hello, options);
    if (engine.closing) throw refusal2("fleet_closed", "The fleet is closed, or closing. Try again later.");
    worker.gate.admit(workerId2, greeting);
    greeting.line.pause(false);
    return { attached: true, workerId: workerId2, incarnation };
  }
  async function workerOf(id, hello, options) {
    const facts = options.facts ?? {};
    const known3 = engine.workers.get(id);
    if (known3 !== void 0 && known3.status !== "retired") {
      if (!isProven(known3.transport)) throw unknownWorker(id);
      await prove(id, known3.transport.proof, hello, facts);
      assertSuited(known3, hello);
      return known3.transport;
    }
    const admitted = await options.admit?.(hello, facts);
    if (admitted === void 0) throw unknownWorker(id);
    const { slots, capabilities: capabilities2, roles, trustLevel, runsUnenforced, ...way } = admitted;
    const transport = provenTransport(way);
    await prove(id, transport.proof, hello, facts);
    if ((engine.workers.get(id)?.status ?? "retired") === "retired") {
      await parts2.add({
        ...{ id, transport },
        ...slots !== void 0 && { slots },
        ...capabilities2 && { capabilities: capabilities2 },
        ...roles && { roles },
        ...trustLevel && { trustLevel },
        ...runsUnenforced && { runsUnenforced }
      });
    }
    const added = engine.workers.get(id);
    if (added === void 0 || !isProven(added.transport)) throw unknownWorker(id);
    assertSuited(added, hello);
    return added.transport;
  }
  async function prove(id, proof, hello, facts) {
    const { secrets, inUse } = engine.core;
    if (!await isProved(proof, hello, facts, { secrets, clock, timeoutMs: helloTimeoutMs })) {
      throw refusal2("unauthenticated", "The worker did not prove who it is. Give it the token that the fleet expects of this id.");
    }
    if (proof.token === void 0 || hello.token === void 0) return;
    const forgetEarlier = covered.get(id);
    covered.set(id, inUse.use(knownSecrets({ worker_token: hello.token })));
    forgetEarlier?.();
  }
  return {
    async attach(connection, options = {}) {
      const waiting = new AbortController();
      greetings.add(waiting);
      if (closed.aborted) waiting.abort();
      let greeting;
      try {
        greeting = await greet(connection, { clock, helloTimeoutMs, signal: waiting.signal });
      } catch (error) {
        return { attached: false, refusal: known2(error) };
      } finally {
        greetings.delete(waiting);
      }
      try {
        return await take(greeting, options);
      } catch (error) {
        const why = known2(error);
        greeting.line.refuse(why.code, why.message);
        return { attached: false, refusal: why };
      }
    }
  };
}
function isProven(transport) {
  return isDialIn(transport) && "proof" in transport;
}
function assertSuited({ facts }, hello) {
  const lacking = lackingOf(facts, hello);
  if (lacking.length === 0) return;
  throw refusal2(
    "unsuited_worker",
    `The worker ${facts.id} is registered for more than it says it does: ${lacking.join(", ")}. Change what it serves, or how it is registered.`
  );
}
function unknownWorker(id) {
  return refusal2("unknown_worker", `No worker ${id} that dials in is registered. Register it with \`transport: dialIn({ \u2026 })\`.`);
}
function refusal2(code2, message) {
  return new FleetError(code2, message);
}
var told2 = /* @__PURE__ */ new Set([
  "invalid_message",
  "unauthenticated",
  "unknown_worker",
  "unsuited_worker",
  "fleet_closed"
]);
function known2(error) {
  if (FleetError.is(error) && told2.has(error.code)) return error;
  return new FleetError("unauthenticated", "The worker could not be judged: what the application registered for that failed.", {
    cause: error
  });
}

// src/fleet/run-handle.ts
function createRunHandle({ perform, ...calls }, reader, facts) {
  const { id } = reader;
  return {
    ...reader,
    ...facts,
    start: () => perform({ kind: "run.start", run_id: id }),
    pause: () => perform({ kind: "run.pause", run_id: id }),
    resume: () => perform({ kind: "run.resume", run_id: id }),
    cancel: ({ by = "operator", reason, tags } = {}) => perform(
      tags === void 0 ? { kind: "run.cancel", run_id: id, by, reason } : { kind: "tasks.cancel", run_id: id, tags, by, reason }
    ),
    cancelTask: (task_id, { by = "operator", reason, attempt } = {}) => perform({ kind: "task.cancel", run_id: id, task_id, by, reason, attempt }),
    restart: (task_id) => perform({ kind: "task.restart", run_id: id, task_id }),
    retryFailed: ({ tags } = {}) => perform({ kind: "run.retry_failed", run_id: id, tags }),
    seal: () => perform({ kind: "run.seal", run_id: id }),
    settle: (task_id, verdict2) => perform({ kind: "task.settle", run_id: id, task_id, verdict: verdict2 }),
    add: (tasks) => calls.add({ run: id, tasks }),
    delete: () => calls.delete({ run: id })
  };
}

// src/engine/explain.ts
function explainTask(run, task, fleet) {
  const waits = [];
  const say = (reason, message) => void waits.push({ for: reason, message });
  const considered = (fleet?.workers ?? []).map((worker) => ({
    id: worker.facts.id,
    status: worker.status,
    free: worker.free,
    against: mismatches(task.requirement, worker.facts)
  }));
  if (task.status === "blocked") explainBlocked(run, task, say);
  if (task.status === "backoff" && task.notBefore !== null) {
    say(
      "backoff",
      task.failures > 0 ? `It waits until ${instant(task.notBefore)} before its next attempt.` : `It may start at ${instant(task.notBefore)}.`
    );
  }
  if (task.status === "enqueued" || task.status === "blocked" || task.status === "backoff") {
    if (run.status === "paused") say("pause", "The run is paused.");
    if (run.status === "pending") say("start", "The run has not been started.");
  }
  if (task.status === "enqueued" && (run.status === "queued" || run.status === "running")) {
    const able = considered.filter((worker) => worker.against.length === 0);
    if (fleet === void 0 || !run.carried) say("not_carried", "No fleet that is known here carries this run on.");
    else if (able.length === 0) say("worker", "No registered worker can take it.");
    else if (!able.some((worker) => worker.free > 0)) {
      say(
        "slot",
        `No worker that can take it has a free slot: ${able.map((worker) => `${worker.id} (${worker.status})`).join(", ")}.`
      );
    }
    const { max_workers: most } = run.header;
    if (most !== void 0 && run.working >= most) say("run_limit", `The run has its ${most} lease(s).`);
    if (fleet !== void 0 && task.gates !== null)
      for (const gate of fleet.gates.against(task.gates, fleet.now)) say(gate.for, gate.message);
    if (fleet?.full === true) say("fleet_limit", "The fleet gives out no more leases at once.");
  }
  return { task_id: task.id, status: task.status, waits, workers: considered };
}
function explainBlocked(run, task, say) {
  for (const id of task.spec.depends_on ?? []) {
    const dependency = run.tasks.get(id);
    if (dependency === void 0) continue;
    if (awaitsVerdict(dependency)) say("verdict", `It waits for a person\u2019s verdict on ${id}.`);
    else if (dependency.status !== "completed") say("dependency", `It waits for ${id}, which is ${dependency.status}.`);
  }
}

// src/engine/inbox-entry.ts
function inboxEntry(run, task, leaseEndsAt) {
  return {
    run_id: run.header.id,
    task_id: task.id,
    priority: task.priority,
    enqueued_at: instant(task.enqueuedAt),
    ...leaseEndsAt !== void 0 && { lease_deadline: instant(leaseEndsAt) },
    attempts: task.attempt
  };
}

// src/fleet/event-selection.ts
var allEvents = { learn: () => void 0, includes: () => true };
function eventsOfTagged(tags, tasks) {
  const selected = /* @__PURE__ */ new Set();
  for (const { id, spec } of tasks) if (isTagged(spec, tags)) selected.add(id);
  return {
    learn(entry) {
      for (const { spec } of entry.tasks ?? []) if (isTagged(spec, tags)) selected.add(spec.id);
    },
    includes: ({ task_id }) => task_id !== void 0 && selected.has(task_id)
  };
}

// src/fleet/entry-pages.ts
var shortestPage = 8;
var longestPage = 1e3;
var pageMs = 8;
async function* entryPages(store, run, clock, start = 1) {
  let limit2 = shortestPage;
  for (let from = start; ; ) {
    const beganAt = clock.monotonic();
    const entries = await store.read(run, { from, limit: limit2 });
    yield entries;
    if (entries.length < limit2) return;
    from += entries.length;
    limit2 = clock.monotonic() - beganAt > pageMs ? Math.max(shortestPage, Math.floor(limit2 / 2)) : Math.min(longestPage, limit2 * 2);
    await clock.turn();
  }
}

// src/fleet/event-stream.ts
var page = 250;
var restAfterMs = 8;
async function projectedRun(store, run) {
  const [first] = await readEntries(store, run, 1, 1);
  const header = first?.created;
  return header === void 0 ? void 0 : { id: header.id, short: header.short, name: header.name };
}
async function* streamEvents(store, run, { clock, closed, selection, ...options }) {
  var _stack = [];
  try {
    const signal = options.signal ?? new AbortController().signal;
    const start = options.after === void 0 ? void 0 : await placeOf3(store, run, options.after);
    let from = start?.seq ?? 1;
    let ended2 = isEndedRun((await store.row({ id: run.id }))?.status ?? "pending");
    const stop = new AbortController();
    const over = __using(_stack, joinSignals([signal, stop.signal, closed]));
    const growth = store.watch(run.id, { from: from - 1, signal: over.signal })[Symbol.asyncIterator]();
    try {
      for (; ; ) {
        const before = from;
        let beganAt = clock.monotonic();
        for await (const entries of entryPages(store, run.id, clock, from)) {
          signal.throwIfAborted();
          for (const entry of entries) {
            if (entry.run?.status !== void 0) ended2 = isEndedRun(entry.run.status);
            selection.learn(entry);
            for (const [index, event] of project(run, entry).entries()) {
              const isNew = start === void 0 || entry.seq > start.seq || index > start.index;
              if (isNew && selection.includes(event)) yield event;
            }
            if (clock.monotonic() - beganAt < restAfterMs) continue;
            await clock.turn();
            beganAt = clock.monotonic();
          }
          from += entries.length;
        }
        if (from > before) continue;
        if (ended2 && options.follow !== true) return;
        if ((await growth.next()).done === true) {
          signal.throwIfAborted();
          return;
        }
      }
    } finally {
      stop.abort();
      await growth.return?.();
    }
  } catch (_) {
    var _error = _, _hasError = true;
  } finally {
    __callDispose(_stack, _error, _hasError);
  }
}
async function replayEvents(store, run, { clock, selection, ...options }) {
  const { limit: limit2 = page } = options;
  if (!Number.isInteger(limit2) || limit2 < 1 || limit2 > 1e3) {
    throw new FleetError("invalid_option", `limit: expected an integer from 1 to 1000, got ${limit2}.`);
  }
  const how = { limit: limit2, clock, selection };
  return options.after === void 0 ? newestPage(store, run, how) : pageAfter(store, run, options.after, how);
}
async function pageAfter(store, run, after, { limit: limit2, clock, selection }) {
  const start = await placeOf3(store, run, after);
  const events = [];
  for await (const entries of entryPages(store, run.id, clock, start.seq)) {
    for (const entry of entries) {
      if (events.length > limit2) break;
      selection.learn(entry);
      const all = project(run, entry);
      const after2 = entry.seq === start.seq ? all.slice(start.index + 1) : all;
      events.push(...after2.filter(selection.includes));
    }
    if (events.length > limit2) break;
  }
  return pageOf(run, events.slice(0, limit2), { more: events.length > limit2, truncated: false });
}
async function newestPage(store, run, { limit: limit2, clock, selection }) {
  let to = await store.last(run.id);
  let newest = [];
  for (let count2 = 8; to > 0 && newest.length <= limit2; count2 = Math.min(limit2, count2 * 2)) {
    const from = Math.max(1, to - count2 + 1);
    const entries = await readEntries(store, run.id, from, to - from + 1);
    newest = [...entries.flatMap((entry) => project(run, entry)).filter(selection.includes), ...newest];
    to = from - 1;
    await clock.turn();
  }
  return pageOf(run, newest.slice(-limit2), { more: false, truncated: newest.length > limit2 });
}
function pageOf(run, events, rest) {
  const last = events.at(-1);
  return {
    run_id: run.id,
    events,
    has_more: rest.more,
    history_truncated: rest.truncated,
    ...last !== void 0 && { next_cursor: last.cursor }
  };
}
async function placeOf3(store, run, cursor) {
  const place = readCursor(cursor, run.short);
  const [entry] = await readEntries(store, run.id, place.seq, 1);
  const places = entry?.seq === place.seq ? Math.max(1, placesOf(entry)) : 0;
  if (place.index >= places || writeCursor(place) !== cursor) {
    throw new FleetError("cursor_unavailable", `The run ${run.id} has no event at this cursor. Read again without a cursor.`);
  }
  return place;
}
async function readEntries(store, run, from, limit2) {
  return await store.read(run, { from, limit: limit2 });
}

// src/fleet/run-artifacts.ts
async function readArtifacts(store, run, taskId, clock) {
  const found = [];
  for await (const entries of entryPages(store, run, clock)) {
    for (const { task, attempt, events } of entries) {
      if (task === void 0 || taskId !== void 0 && task !== taskId) continue;
      for (const event of events ?? []) {
        if (event.state !== "artifact") continue;
        const { state: _, ...artifact } = event;
        found.push({ task_id: task, attempt: attempt ?? 0, artifact });
      }
    }
  }
  return found;
}

// src/fleet/run-log.ts
import { join as join4 } from "node:path";
var logName2 = "output.log";
var limit = 64 * 1024 * 1024;
async function readLog(store, { running, ...place }, clock) {
  const kept = running ? void 0 : await readKept(store, place, clock);
  const bytes = kept ?? await readFolder(store, place);
  return bytes === void 0 ? void 0 : { task_id: place.task, attempt: place.attempt, ended: !running, bytes };
}
async function readKept(store, { run, task, attempt }, clock) {
  const artifacts = await readArtifacts(store, run, task, clock);
  const log = artifacts.findLast((one) => one.attempt === attempt && one.artifact.kind === "log" && one.artifact.path === logName2);
  const sha2562 = log?.artifact.checksum?.replace(/^sha256:/, "");
  return sha2562 === void 0 ? void 0 : store.blobs.open(run, sha2562);
}
async function readFolder(store, { run, task, attempt }) {
  if (store.folder === void 0) return void 0;
  const files = diskFiles();
  const path = join4(store.folder, run, "attempts", task, String(attempt), logName2);
  return await files.facts(path) === void 0 ? void 0 : files.read(path, { limit });
}

// src/fleet/run-result.ts
async function readReceipts(store, run, clock) {
  const receipts = /* @__PURE__ */ new Map();
  for await (const entries of entryPages(store, run, clock)) {
    for (const { task, receipt } of entries) {
      if (task === void 0 || receipt === void 0) continue;
      const list2 = receipts.get(task);
      if (list2 === void 0) receipts.set(task, [receipt]);
      else list2.push(receipt);
    }
  }
  return receipts;
}
function* makingResult(id, status, history) {
  const receipts = {};
  const failures2 = [];
  for (const [task, list2] of history) {
    const latest = list2.at(-1);
    if (latest === void 0) continue;
    Object.defineProperty(receipts, task, { value: latest, enumerable: true, configurable: true, writable: true });
    if (latest.result === "fail" || latest.result === "timeout") failures2.push(latest);
    yield;
  }
  return {
    id,
    status,
    receipts,
    failures: failures2,
    output(_, taskId) {
      const receipt = Object.hasOwn(receipts, taskId) ? receipts[taskId] : void 0;
      if (receipt === void 0) throw new FleetError("unknown_task", `The run ${id} has no receipt of a task ${taskId}.`);
      if (receipt.result !== "pass" && receipt.result !== "partial") {
        throw new FleetError("run_not_completed", `The task ${taskId} gave no output: ${describe(receipt)}`, {
          details: { receipt }
        });
      }
      return receipt.output;
    },
    assertCompleted() {
      if (status === "completed") return;
      const told3 = failures2.slice(0, 5).map((receipt) => `${receipt.task_id}: ${describe(receipt)}`);
      const more = failures2.length > 5 ? [`and ${failures2.length - 5} more`] : [];
      throw new FleetError("run_not_completed", [`The run ${id} ended ${status}.`, ...told3, ...more].join("\n"), {
        details: { failures: failures2 }
      });
    }
  };
}
function describe(receipt) {
  return `${receipt.result}${receipt.failure_kind === void 0 ? "" : ` (${receipt.failure_kind})`}${receipt.evidence === void 0 ? "" : `: ${receipt.evidence}`}`;
}

// src/fleet/run-reader.ts
function storeSource(store, clock) {
  return {
    store,
    clock,
    look: async (id, view) => view(await loadRun(createFleetState(), { store, clock }, id, false)),
    closed: new AbortController().signal,
    workers: () => ({}),
    considered: () => void 0,
    leaseEndsAt: () => void 0
  };
}
function createRunReader(source, id) {
  const { store, clock } = source;
  function look(view) {
    return source.look(id, (run) => {
      if (run === void 0 || !run.opened) throw unknownRun(id);
      return view(run);
    });
  }
  function lookAt(taskId, view) {
    return look((run) => {
      const task = run.tasks.get(taskId);
      if (task === void 0)
        throw new FleetError("unknown_task", `The run ${id} has no task ${taskId}.`, { details: { task_id: taskId } });
      return view(task, run);
    });
  }
  async function facts() {
    const run = await store.row({ id }) === void 0 ? void 0 : await projectedRun(store, id);
    if (run === void 0) throw unknownRun(id);
    return run;
  }
  async function* events(options = {}) {
    const run = await facts();
    yield* streamEvents(store, run, { ...options, selection: await selected(options.tags), clock, closed: source.closed });
  }
  async function selected(tags) {
    return tags === void 0 ? allEvents : look((run) => eventsOfTagged(tags, run.tasks.values()));
  }
  return {
    id,
    async spec() {
      const seen = await look(specOf);
      return inSlices(writingSpec(seen, await readSpecs(source, id, seen.short)), clock);
    },
    summary: () => look((run) => {
      const workers = Object.fromEntries(Object.entries(source.workers()).filter(([worker]) => run.workers.has(worker)));
      const { name, workflow } = run.header;
      return { id, name, status: run.status, ...workflow !== void 0 && { workflow }, ...countersOf(run), workers };
    }),
    tasks: () => look((run) => [...run.tasks.values()].map(taskView)),
    task: (taskId) => lookAt(taskId, taskView),
    inbox: () => look((run) => {
      const open3 = [...run.tasks.values()].filter((task) => !isEndedTask(task.status));
      return open3.map((task) => inboxEntry(run, task, source.leaseEndsAt(id, task.id, task.attempt)));
    }),
    async receipts(taskId) {
      await facts();
      const all = await readReceipts(store, id, clock);
      return taskId === void 0 ? [...all.values()].flat() : all.get(taskId) ?? [];
    },
    async receipt(taskId) {
      await facts();
      return (await readReceipts(store, id, clock)).get(taskId)?.at(-1);
    },
    async artifacts(taskId) {
      await facts();
      return readArtifacts(store, id, taskId, clock);
    },
    async openArtifact({ checksum }) {
      const sha2562 = checksum?.replace(/^sha256:/, "");
      return sha2562 === void 0 ? void 0 : store.blobs.open(id, sha2562);
    },
    async log(taskId, { attempt } = {}) {
      const asked = await lookAt(taskId, (task) => {
        const number = attempt ?? task.attempt;
        return { run: id, task: taskId, attempt: number, running: number === task.attempt && isWorking(task.status) };
      });
      return readLog(store, asked, clock);
    },
    events,
    async replay(options = {}) {
      const run = await facts();
      return replayEvents(store, run, { ...options, selection: await selected(options.tags), clock });
    },
    explain: (taskId) => lookAt(taskId, (task, run) => explainTask(run, task, source.considered())),
    explainAll: ({ tags } = {}) => look((run) => {
      const open3 = [...run.tasks.values()].filter((task) => !isEndedTask(task.status) && isTagged(task.spec, tags));
      return open3.map((task) => explainTask(run, task, source.considered()));
    }),
    async result({ signal } = {}) {
      const status = await untilEnded(source, id, signal);
      return inSlices(makingResult(id, status, await readReceipts(store, id, clock)), clock);
    }
  };
}
async function untilEnded(source, id, signal) {
  var _stack = [];
  try {
    const stop = new AbortController();
    const over = __using(_stack, joinSignals([stop.signal, source.closed, signal]));
    const growth = source.store.watch(id, { from: 0, signal: over.signal })[Symbol.asyncIterator]();
    try {
      for (; ; ) {
        signal?.throwIfAborted();
        const row = await source.store.row({ id });
        if (row !== void 0 && isEndedRun(row.status)) return row.status;
        const end = await source.look(id, (run) => {
          if (run?.opened !== true) throw unknownRun(id);
          return run.completedAt === null ? void 0 : run.status;
        });
        if (end !== void 0) return end;
        if ((await growth.next()).done === true) {
          signal?.throwIfAborted();
          throw new FleetError(
            "fleet_closed",
            `The fleet was closed before the run ${id} ended. The next fleet of its store carries it on.`
          );
        }
      }
    } finally {
      stop.abort();
      await growth.return?.();
    }
  } catch (_) {
    var _error = _, _hasError = true;
  } finally {
    __callDispose(_stack, _error, _hasError);
  }
}

// src/fleet/fleet.ts
function createFleetFacade(parts2) {
  const { engine, bus, calls, store } = parts2;
  const source = sourceOf(parts2);
  const door = createWorkerDoor(engine, {
    clock: parts2.host.clock,
    closed: parts2.closed,
    add: (worker) => calls.addWorker(workerPlan(worker, parts2.host))
  });
  function handle(id, created2, warnings = []) {
    return createRunHandle(calls, createRunReader(source, id), { created: created2, warnings });
  }
  async function create(spec, start, options) {
    const { id, created: created2, warnings } = await calls.create({ spec, start, options });
    return handle(id, created2, warnings);
  }
  return {
    warnings: parts2.warnings,
    create: (spec, options = {}) => create(spec, false, options),
    start: (spec, options = {}) => create(spec, true, options),
    async run(id) {
      if (await store.row({ id }) === void 0) throw unknownRun(id);
      return handle(id, false);
    },
    runs: (query) => store.runs(query),
    workers: () => engine.workers.all().map((worker) => ({
      id: worker.facts.id,
      status: worker.status,
      kind: worker.transport.kind,
      slots: worker.facts.slots,
      busy: engine.core.state.holdings.get(worker.facts.id) ?? 0,
      abandoned: worker.abandoned.size,
      capabilities: worker.facts.capabilities
    })),
    async addWorker(worker) {
      const plan = workerPlan(worker, parts2.host);
      if (engine.workers.get(plan.facts.id) !== void 0) {
        throw new FleetError("invalid_option", `The fleet has a worker with the id ${plan.facts.id}. Choose another id.`);
      }
      await calls.addWorker(plan);
    },
    attach: (connection, options) => door.attach(connection, options),
    drain: (worker, { graceMs } = {}) => calls.drain({ worker, graceMs }),
    on: (name, listener) => bus.on(name, listener),
    once: (name) => bus.once(name),
    off: (name, listener) => bus.off(name, listener),
    events: (options = {}) => bus.events(options),
    get lateMessages() {
      return engine.reports.late;
    },
    async summary() {
      const rows = await store.runs();
      let total = noTasks;
      for (const row of rows) {
        const counters = isEndedRun(row.status) && row.counts !== void 0 ? { ...noTasks, ...row.counts } : await countersNow(row.id);
        total = addCounters(total, counters);
      }
      return { ...total, workers: source.workers() };
    },
    recording: parts2.recording,
    close: (options = {}) => calls.close(options),
    [Symbol.asyncDispose]: () => calls.close({})
  };
  async function countersNow(id) {
    return source.look(id, (run) => run === void 0 ? noTasks : countersOf(run));
  }
}
function sourceOf({ engine, store, host: host2, closed }) {
  const { core, workers } = engine;
  return {
    store,
    clock: host2.clock,
    look: engine.look,
    closed,
    workers: () => Object.fromEntries(workers.all().map((worker) => [worker.facts.id, worker.status])),
    leaseEndsAt(run, task, attempt) {
      const { presence, clock, deadlines } = engine.core;
      const held2 = presence.get(run, task, attempt);
      return held2 === void 0 || held2.lingering ? void 0 : clock.now() + held2.deadline - deadlines.leaseNow();
    },
    considered: () => ({
      workers: workers.all().map((worker) => ({ facts: worker.facts, status: worker.status, free: workers.free(worker) })),
      full: core.state.working >= core.defaults.maxLeases,
      gates: core.state.gates,
      now: core.clock.now()
    })
  };
}

// src/fleet/inbox.ts
var answerAgainMs = 1e3;
async function serveInbox(engine, signal) {
  for await (const item of engine.core.store.inbox({ signal })) {
    const answer = await answerTo(engine, item.command);
    while (!signal.aborted && !await isGiven(item, answer))
      await engine.core.clock.sleep(answerAgainMs, { signal, keepAlive: false });
  }
}
async function isGiven(item, answer) {
  try {
    await item.answer(answer);
    return true;
  } catch {
    return false;
  }
}
async function answerTo(engine, { id, command }) {
  try {
    return { ok: true, outcome: await performCommand(engine, command, id) };
  } catch (error) {
    if (FleetError.is(error)) return { ok: false, code: error.code, message: error.message, details: error.details };
    return { ok: false, code: "refused", message: `The command could not be performed: ${String(error)}` };
  }
}

// src/fleet/earlier-secrets.ts
async function knowEarlierSecrets(engine, runs) {
  const { secrets, inUse, defaults, deadlines } = engine.core;
  const refs = runs.flatMap(
    (run) => [...run.tasks.values()].some(hasBegun) ? run.header.security_policy?.allowed_secrets ?? [] : []
  );
  if (refs.length === 0) return;
  const limit2 = new AbortController();
  const disarm = deadlines.after(defaults.secretTimeoutMs, () => limit2.abort());
  const outcomes = await Promise.all(refs.map((ref) => secrets.resolve([ref], { signal: limit2.signal })));
  disarm();
  for (const outcome of outcomes) if ("values" in outcome) inUse.use(knownSecrets(outcome.values));
}
function hasBegun(task) {
  return isWorking(task.status) || task.status === "verifying";
}

// src/fleet/registrar.ts
function createRegistrar(engine, host2, via) {
  const starting = /* @__PURE__ */ new Set();
  const specs = /* @__PURE__ */ new Map();
  function add({ facts, transport }) {
    const known3 = engine.core.state.workers.get(facts.id);
    const worker = {
      facts,
      transport: via(transport),
      incarnation: engine.core.ids.next("inc"),
      status: "unknown",
      channel: void 0,
      failures: 0,
      abandoned: /* @__PURE__ */ new Set(),
      // A drain outlives the fleet that heard of it; a worker that was retired is registered anew (WO1).
      draining: known3?.draining === true && !known3.retired,
      resting: false
    };
    engine.workers.add(worker);
    recordIncarnation(engine.core, worker);
    const started = engine.host.start(worker).finally(() => starting.delete(started));
    starting.add(started);
  }
  return {
    add,
    addFromFile(spec) {
      const text3 = JSON.stringify(spec);
      const known3 = specs.get(spec.id);
      if (known3 === text3) return;
      if (known3 !== void 0 || engine.workers.get(spec.id) !== void 0) {
        throw new FleetError(
          "invalid_document",
          `worker_specs: the fleet has another worker with the id ${spec.id}. Choose another id.`
        );
      }
      specs.set(spec.id, text3);
      add(workerOfSpec(spec, host2));
    },
    async ready() {
      while (starting.size > 0) await Promise.all(starting);
    },
    async drain(id, graceMs) {
      const worker = engine.workers.get(id);
      if (worker === void 0) throw new FleetError("unknown_worker", `No worker ${id} is registered.`);
      worker.draining = true;
      const record = { id, incarnation: worker.incarnation, draining: true, retired: false };
      await engine.command(() => just({ on: "fleet", kind: "worker.drained", record }));
      await engine.drain(worker, graceMs);
    }
  };
}

// src/fleet/retention.ts
function keepRetention(engine, bus, retention) {
  let sweeping = sweep(engine, retention);
  const off = bus.on("run.status_changed", ({ payload }) => {
    if (payload.status !== "completed" && payload.status !== "failed" && payload.status !== "cancelled") return;
    sweeping = sweeping.then(() => sweep(engine, retention));
  });
  return {
    async close() {
      off();
      await sweeping;
    }
  };
}
async function sweep(engine, retention) {
  const rows = await engine.core.store.runs({ status: ["completed", "failed", "cancelled"] }).catch(() => []);
  for (const row of overdue(rows, retention, engine.core.clock.now())) {
    if (engine.core.presence.ofRun(row.id) > 0 || (row.unsettled ?? 0) > 0) continue;
    await engine.drop(row.id).catch(() => void 0);
  }
}
function overdue(rows, { endedRuns = Infinity, maxAgeMs = Infinity }, now) {
  const byEnd = [...rows].sort((a, b) => (b.completedAt ?? 0) - (a.completedAt ?? 0));
  return byEnd.filter((row, index) => index >= endedRuns || now - (row.completedAt ?? now) > maxAgeMs).reverse();
}

// src/fleet/seamed-calls.ts
function openingOf(world) {
  const { leasing, carryOn, retention, concurrency, waitForStoreMs, takeOver, workspace, profiles, roles } = world.options;
  return {
    limits: world.limits,
    options: {
      leasing,
      carryOn,
      retention,
      concurrency,
      waitForStoreMs,
      takeOver,
      workspace,
      profiles,
      roles
    },
    workers: world.plans.map(notedWorker),
    verifies: world.options.verifier !== void 0
  };
}
function seamedCalls(seam, calls, written2) {
  return {
    create: (asked) => seam.call("create", withoutAddresses(asked), () => calls.create(asked)),
    perform: (command) => seam.call("perform", command, () => calls.perform(command)),
    add: (asked) => seam.call("add", withoutAddresses(asked), () => calls.add(asked)),
    delete: (asked) => seam.call("delete", asked, () => calls.delete(asked)),
    addWorker: (plan) => seam.call("addWorker", notedWorker(plan), () => calls.addWorker(plan)),
    drain: (asked) => seam.call("drain", asked, () => calls.drain(asked)),
    async close(asked) {
      await seam.call("close", asked, () => calls.close(asked));
      await written2();
    }
  };
}
var addressFields = /* @__PURE__ */ new Set(["url", "webhook_url", "endpoint_url", "routing_key"]);
function withoutAddresses(asked) {
  const known3 = /* @__PURE__ */ new Map();
  const covered = (value) => {
    const before = known3.get(value);
    if (before !== void 0) return before;
    const name = `https://address-${known3.size + 1}.invalid`;
    known3.set(value, name);
    return name;
  };
  const walk = (value, inPolicy) => {
    if (Array.isArray(value)) return value.map((item) => walk(item, inPolicy));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => {
        const isAddress = inPolicy && addressFields.has(name) && typeof member === "string" && !member.startsWith("<secret:");
        return [name, isAddress ? covered(member) : walk(member, inPolicy || name === "alert_policy")];
      })
    );
  };
  return walk(asked, false);
}
function notedWorker({ facts, transport }) {
  const { kind, enforces, heartbeats, startsAtOnce, survives, dialsIn, serves } = transport;
  const noted2 = { kind, enforces, heartbeats, startsAtOnce, survives, serves, ...dialsIn !== void 0 && { dialsIn } };
  return { facts, transport: noted2 };
}

// src/fleet/open-world.ts
var fleetEntriesRead = 256;
async function openWorld(world, recording, seam) {
  const { options, limits: limits4, host: host2, plans } = world;
  const { environment } = host2;
  const clock = seam === void 0 ? host2.clock : seamedClock(seam);
  const store = seam === void 0 ? world.store : seamedStore(seam, world.store);
  const ids = seam === void 0 ? options.ids ?? systemIds() : seamedIds(seam, options.ids ?? systemIds());
  const ask2 = seam === void 0 ? (_, act) => act() : (what, act, noting2) => seam.ask(what, act, noting2);
  const files = options.files ?? diskFiles();
  const bus = createBus({ buffer: limits4.eventBuffer });
  const folder = resolve2(options.workspace ?? ".");
  const workspace = await ask2("workspace", () => files.real(folder));
  if (workspace === void 0)
    throw new FleetError("invalid_option", `workspace: there is no folder ${folder}. Make it, or name another.`);
  const opening = await store.open({
    instance: ids.next("fleet"),
    ...options.waitForStoreMs !== void 0 && { waitMs: options.waitForStoreMs },
    ...options.takeOver !== void 0 && { takeOver: options.takeOver }
  });
  recording.open(opening.epoch);
  const attempts = createAttemptsFolder(store.folder, options.files !== void 0);
  const place = await ask2("attempts folder", () => attempts.open());
  const stop = new AbortController();
  const secrets = secretsOf(options);
  const local = localChecks(host2);
  const checks = {
    run: (command, how) => (engine.workers.get(command.worker)?.transport.checks ?? local).run(command, how)
  };
  const work = {
    scorers: createScorers({ files, checks, storeId: opening.storeId, verifier: options.verifier }),
    collector: createCollector({ files, blobs: options.blobs ?? world.store.blobs, sha256, limits: limits4 }),
    workspaces: createWorkspaces({ files, environment }),
    secrets,
    alertSinks: alertSinksOf(options.alerts ?? {}, {
      clock: host2.clock,
      blobs: world.store.blobs,
      secret: alertSecrets(options, { secrets, environment, signal: stop.signal })
    })
  };
  const engine = createEngine(
    {
      store,
      shown: world.store,
      clock,
      ids: ids.forEpoch?.(opening.epoch) ?? ids,
      ...seam === void 0 ? work : seamedWork(seam, work),
      inUse: world.inUse,
      // Ids are names of files as they are (WI9).
      folderOf: (run, task, attempt) => `${place}${sep2}${run}${sep2}attempts${sep2}${task}${sep2}${attempt}`,
      announce: (event) => bus.emit(event),
      hasListeners: () => bus.hasListeners(),
      isListenedTo: (name) => bus.isListenedTo(name),
      defaults: limits4,
      concurrency: options.concurrency ?? {}
    },
    () => opening.storeId
  );
  const registrar = createRegistrar(
    engine,
    host2,
    (transport) => seam === void 0 ? transport : seamedTransport(seam, transport)
  );
  const profiles = profileTables(options);
  const creations = createCreations(engine, { registrar, host: host2, workspace, profiles });
  try {
    const { read: read2 } = await loadFleetStream(engine.core.state, { store, clock });
    const runs = await claimRuns(engine, options.carryOn ?? "all");
    await knowEarlierSecrets(engine, runs);
    await ask2("reap", async () => {
      const { storeId } = opening;
      const specs = runs.flatMap(({ header }) => header.worker_specs);
      await world.reap({ storeId, recorded: runs.flatMap(recordedProcesses), clock: host2.clock });
      for (const way of containerWays({ plans, specs }, host2)) await way.reap?.({ storeId, recorded: [] }).catch(() => void 0);
    });
    for (const plan of plans) registrar.add(plan);
    const open3 = runs.filter((run) => !isEndedRun(run.status));
    for (const run of open3) for (const spec of run.header.worker_specs) registrar.addFromFile(spec);
    for (const run of runs) await engine.recover(run);
    if (options.leasing !== false) {
      await registrar.ready();
      engine.leasing = true;
    }
    await engine.settled();
    if (read2 > fleetEntriesRead) await engine.keepFleetStream();
  } catch (error) {
    await store.close();
    await attempts.remove();
    throw error;
  }
  const inbox2 = serveInbox(engine, stop.signal).catch(() => void 0);
  const retention = options.retention && keepRetention(engine, bus, options.retention);
  const hurry = new AbortController();
  let closed;
  async function close(graceMs) {
    const takenBack = creations.close();
    await closeEngine(engine, { graceMs, hurry: hurry.signal });
    await takenBack;
    stop.abort();
    await inbox2;
    await retention?.close();
    await engine.announced();
    await store.close();
    await attempts.remove();
    bus.close();
  }
  const direct = createFleetCalls(engine, {
    registrar,
    creations,
    profiles,
    close({ graceMs = limits4.closeGraceMs }) {
      if (closed !== void 0 && graceMs === 0) hurry.abort();
      return closed ??= close(graceMs);
    }
  });
  engine.opened();
  const calls = seam === void 0 ? direct : seamedCalls(seam, direct, () => recording.written());
  const fleet = createFleetFacade({
    engine,
    bus,
    calls,
    host: host2,
    store: world.store,
    warnings: opening.warnings,
    closed: stop.signal,
    recording: () => recording.bytes()
  });
  return { fleet, calls };
}
function recordedProcesses({ working, tasks }) {
  const recorded2 = [];
  if (working === 0) return recorded2;
  for (const { status, process: process2 } of tasks.values()) if (process2 !== null && isWorking(status)) recorded2.push(process2);
  return recorded2;
}
async function claimRuns(engine, carryOn) {
  if (carryOn === "none") return [];
  const runs = [];
  for await (const claim of engine.core.store.claim(carryOn === "all" ? {} : { runs: carryOn })) {
    if (claim.run === fleetStream) continue;
    const run = await engine.read(claim.run);
    if (run === void 0) continue;
    if (run.opened) runs.push(run);
    else await engine.discard(claim.run);
  }
  return runs;
}

// src/fleet/recording.ts
import { join as join5 } from "node:path";
import { readFile } from "node:fs/promises";

// src/host/quiet.ts
async function quiet() {
  await afterPromises();
  await afterPromises();
}
function afterPromises() {
  return Promise.resolve().then(() => new Promise((resolve4) => process.nextTick(resolve4)));
}

// src/recording/recorder.ts
function createRecorder(parts2) {
  const { clock, quiet: quiet2, sink, cover: cover2 = (plain) => plain } = parts2;
  const life = sink.begin();
  const waiting = [];
  let moment2 = { at: clock.now(), up: clock.monotonic() };
  let step;
  let isWorking2 = false;
  let working = Promise.resolve();
  let calls = 0;
  let hasEnded2 = false;
  function enter(entering) {
    if (hasEnded2) return;
    waiting.push(entering);
    start();
  }
  function start() {
    if (!isWorking2) working = work();
  }
  async function work() {
    isWorking2 = true;
    for (; ; ) {
      if (step !== void 0) {
        await quiet2();
        finish2();
        if (sink.isFull) await sink.flush();
      }
      const next = waiting.shift();
      if (next === void 0 || hasEnded2) break;
      if (next.isOver?.() !== true) begin(next);
    }
    isWorking2 = false;
  }
  function begin({ input, act }) {
    const up = clock.monotonic();
    moment2 = { at: clock.now(), up: input.kind === "deadline" ? Math.max(up, input.due) : up };
    step = { life, ...moment2, input };
    act();
  }
  function finish2() {
    if (step !== void 0 && !hasEnded2) sink.write(cover2(step));
    step = void 0;
  }
  function here() {
    if (step === void 0) {
      step = { life, ...moment2, input: { kind: "nothing" } };
      start();
    }
    return step;
  }
  function ask2(what, act, { shown, batches } = {}) {
    noteQuestion(what, batches);
    return new Promise((resolve4, reject) => {
      const answer = (outcome, tell) => enter({ input: { kind: "answer", to: what, ...outcome }, act: tell });
      attempted(act).then(
        (value) => answer(outcomeOf(value, shown), () => resolve4(value)),
        (error) => answer({ failed: noted(error) }, () => reject(error))
      );
    });
  }
  function noteQuestion(what, batches) {
    const now = here();
    (now.asked ??= []).push(what);
    if (batches !== void 0) (now.appended ??= []).push(batches);
  }
  function take(what, act, { shown } = {}) {
    const value = act();
    const now = here();
    (now.took ??= []).push([what, shown === void 0 ? value : shown(value)]);
    return value;
  }
  return {
    now: () => moment2.at,
    monotonic: () => moment2.up,
    alarm(ms, act, options) {
      const due = moment2.up + Math.max(0, ms);
      let isOver3 = false;
      const meet = () => {
        isOver3 = true;
        act();
      };
      const cancel = clock.alarm(
        Math.max(0, due - clock.monotonic()),
        () => enter({ input: { kind: "deadline", due }, act: meet, isOver: () => isOver3 }),
        options
      );
      return () => {
        if (isOver3) return;
        isOver3 = true;
        cancel();
        if (due <= moment2.up) (here().missed ??= []).push(due);
      };
    },
    take,
    ask: ask2,
    takeOrAsk(what, act, noting2) {
      const given = act();
      if (!(given instanceof Promise)) return take(what, () => given, noting2);
      take(`later ${what}`, () => null);
      return ask2(what, () => given, noting2);
    },
    tell: (what) => void (here().told ??= []).push(what),
    hear(from, deliver, { shown } = {}) {
      return (word2) => enter({
        input: { kind: "heard", from, word: shown === void 0 ? word2 : shown(word2) },
        act: () => deliver(word2)
      });
    },
    call(what, args, act, { shown } = {}) {
      const number = calls += 1;
      const answered = (outcome) => void (here().answered ??= []).push({ call: number, ...outcome });
      return new Promise((resolve4, reject) => {
        const perform = () => void attempted(act).then(
          (value) => {
            answered(outcomeOf(value, shown));
            resolve4(value);
          },
          (error) => {
            answered({ failed: noted(error) });
            reject(error);
          }
        );
        enter({ input: { kind: "call", call: what, number, args }, act: perform });
      });
    },
    async idle() {
      while (isWorking2) await working;
    },
    get isIdle() {
      return !isWorking2;
    },
    end() {
      hasEnded2 = true;
      waiting.length = 0;
    }
  };
}
function attempted(act) {
  try {
    return act();
  } catch (error) {
    return Promise.reject(error);
  }
}
function outcomeOf(value, shown) {
  const ok = shown === void 0 ? value : shown(value);
  return ok === void 0 ? {} : { ok };
}
function noted(error) {
  if (!FleetError.is(error)) return { message: error instanceof Error ? error.message : String(error) };
  return { code: error.code, message: error.message, details: error.details };
}

// src/recording/step.ts
var recordingVersion = 1;

// src/recording/sink.ts
function memorySink() {
  const lines = [];
  let lives = 0;
  return {
    begin() {
      lives += 1;
      lines.push(openingLine(lives));
      return lives;
    },
    write: (step) => void lines.push(lineOf(step)),
    isFull: false,
    flush: async () => void 0,
    bytes: async () => new TextEncoder().encode(lines.join(""))
  };
}
var mostWaiting = 4 * 1024 * 1024;
function fileSink(parts2) {
  let path;
  let waiting = openingLine(1);
  let writing;
  let broken2;
  async function write(to) {
    while (waiting !== "" && broken2 === void 0) {
      const text3 = waiting;
      waiting = "";
      await parts2.append(to, text3).catch((error) => void (broken2 = { error }));
    }
    writing = void 0;
  }
  function start() {
    if (path !== void 0 && waiting !== "" && broken2 === void 0) writing ??= write(path);
  }
  async function flush() {
    start();
    while (writing !== void 0) await writing;
  }
  return {
    begin: () => 1,
    open(at) {
      path = at;
      start();
    },
    write(step) {
      if (broken2 !== void 0) return;
      waiting += lineOf(step);
      start();
    },
    get isFull() {
      return waiting.length > mostWaiting && path !== void 0;
    },
    flush,
    async bytes() {
      await flush();
      if (broken2 !== void 0) throw broken2.error;
      return path === void 0 ? new TextEncoder().encode(waiting) : parts2.read(path);
    }
  };
}
function openingLine(life) {
  return `${JSON.stringify({ flotilla_recording: recordingVersion, life })}
`;
}
function lineOf(step) {
  return `${JSON.stringify(step, (_, value) => typeof value === "bigint" ? String(value) : value)}
`;
}

// src/fleet/recording.ts
var unrecorded = {
  open: () => void 0,
  async bytes() {
    throw new FleetError("invalid_option", "This fleet records nothing. Create it with `record: true`.");
  },
  written: async () => void 0
};
function recordingName(epoch) {
  return `${String(epoch).padStart(10, "0")}.ndjson`;
}
function createRecording(parts2) {
  const { clock, inUse, sink: given } = parts2;
  const { recordings } = parts2.store;
  const file = given === void 0 && recordings !== void 0 ? fileSink({ append: diskFiles().append, read: readFile }) : void 0;
  const sink = given ?? file ?? memorySink();
  const recorder = createRecorder({ clock, quiet, sink, cover: (step) => withoutSecrets3(step, inUse) });
  return {
    recorder,
    open(epoch) {
      if (file !== void 0 && recordings !== void 0) file.open(join5(recordings, recordingName(epoch)));
    },
    async bytes() {
      await recorder.idle();
      return sink.bytes();
    },
    async written() {
      await recorder.idle();
      await sink.flush();
    }
  };
}
function withoutSecrets3(step, { redactor }) {
  return redactor === void 0 ? step : redactor.json(step);
}

// src/store/deferred.ts
function deferredStore(facts, load) {
  let loading;
  let store;
  const loaded = async () => store ??= await (loading ??= load());
  return {
    ...facts,
    blobs: {
      put: async (run, bytes) => (await loaded()).blobs.put(run, bytes),
      open: async (run, sha2562) => (await loaded()).blobs.open(run, sha2562),
      remove: async (run) => (await loaded()).blobs.remove(run)
    },
    open: async (options) => (await loaded()).open(options),
    claim: async function* (options) {
      yield* (await loaded()).claim(options);
    },
    // Whoever opened the store has loaded it, and appends with nothing in between.
    append: (batches) => store?.append(batches) ?? loaded().then((late) => late.append(batches)),
    read: async (run, options) => (await loaded()).read(run, options),
    last: async (run) => (await loaded()).last(run),
    loadSnapshot: async (run) => (await loaded()).loadSnapshot(run),
    saveSnapshot: async (run, snapshot) => (await loaded()).saveSnapshot(run, snapshot),
    watch: async function* (run, options) {
      yield* (await loaded()).watch(run, options);
    },
    runs: async (query) => (await loaded()).runs(query),
    row: async (query) => (await loaded()).row(query),
    post: async (command, options) => (await loaded()).post(command, options),
    inbox: async function* (options) {
      yield* (await loaded()).inbox(options);
    },
    remove: async (run) => (await loaded()).remove(run),
    owner: async () => (await loaded()).owner(),
    async close() {
      if (loading !== void 0) await (await loaded()).close();
    }
  };
}

// src/store/memory-blobs.ts
import { hash } from "node:crypto";
function memoryBlobs() {
  const blobs = /* @__PURE__ */ new Map();
  return {
    put: async (run, bytes) => {
      const sha2562 = hash("sha256", bytes);
      const kept = blobs.get(run) ?? /* @__PURE__ */ new Map();
      blobs.set(run, kept.set(sha2562, Uint8Array.from(bytes)));
      return { sha256: sha2562, size: bytes.length };
    },
    open: async (run, sha2562) => {
      const kept = blobs.get(run)?.get(sha2562);
      return kept && Uint8Array.from(kept);
    },
    remove: async (run) => void blobs.delete(run)
  };
}

// src/store/memory-runs.ts
function textOf({ run, entries, row }) {
  return { run, entries: entries.map((entry) => JSON.stringify(entry)), row: row && structuredClone(row) };
}
var MemoryRuns = class {
  #keep;
  #runs = /* @__PURE__ */ new Map();
  #keys = /* @__PURE__ */ new Map();
  #removed = /* @__PURE__ */ new Set();
  /** In the order of their ends. */
  #ended = /* @__PURE__ */ new Set();
  constructor(keepEndedRuns) {
    this.#keep = keepEndedRuns;
  }
  seq(run) {
    return this.#runs.get(run)?.entries.length ?? 0;
  }
  removed(run) {
    return this.#removed.has(run);
  }
  keyHolder(key) {
    return this.#keys.get(key);
  }
  row(run) {
    return this.#runs.get(run)?.row;
  }
  names() {
    return [...this.#runs.keys()];
  }
  *rows() {
    for (const { row } of this.#runs.values()) if (row !== void 0) yield row;
  }
  read(run, from, limit2) {
    const start = Math.max(1, from) - 1;
    return this.#runs.get(run)?.entries.slice(start, start + Math.max(0, limit2)) ?? [];
  }
  add({ run, entries, row }) {
    const kept = this.#runs.get(run) ?? { entries: [], row: void 0 };
    this.#runs.set(run, kept);
    for (const entry of entries) kept.entries.push(entry);
    if (row === void 0) return;
    kept.row = row;
    if (row.key !== void 0) this.#keys.set(row.key, run);
    if (!hasEnded(row)) this.#ended.delete(run);
    else this.#ended.add(run);
  }
  remove(run) {
    const key = this.#runs.get(run)?.row?.key;
    if (key !== void 0) this.#keys.delete(key);
    this.#runs.delete(run);
    this.#ended.delete(run);
    this.#removed.add(run);
  }
  /** Forgets the runs that ended first, where too many have; gives their names. */
  forgetEnded() {
    const forgotten = [...this.#ended].slice(0, Math.max(0, this.#ended.size - this.#keep));
    for (const run of forgotten) this.remove(run);
    return forgotten;
  }
};

// src/store/memory-commit.ts
var MemoryCommit = class {
  #runs;
  #decide;
  #onDurable;
  #turn;
  #admission;
  #waiting = [];
  #current = [];
  #working;
  #isDropped = false;
  constructor(runs, decide, onDurable, turn) {
    this.#runs = runs;
    this.#decide = decide;
    this.#onDurable = onDurable;
    this.#turn = turn;
    this.#admission = new Admission(runs);
  }
  async append(batches) {
    const admitted = this.#admission.admit(batches);
    if (admitted.length > 0) await this.#enqueue({ batches: admitted, texts: admitted.map(textOf) });
  }
  async remove(run) {
    if (this.#admission.admitRemoval(run) !== void 0) await this.#enqueue({ removed: run });
  }
  /** Resolves when nothing waits. */
  async idle() {
    await this.#working;
  }
  /** Loses everything that waits. */
  drop() {
    this.#isDropped = true;
    const lost = [...this.#current, ...this.#waiting];
    this.#current = [];
    this.#waiting = [];
    const error = new FleetError(
      "store_conflict",
      "The owner of this store crashed before this was stored. Open the store again."
    );
    for (const call of lost) call.reject(error);
  }
  #enqueue(work) {
    return new Promise((resolve4, reject) => {
      this.#waiting.push({ ...work, resolve: resolve4, reject });
      this.#working ??= this.#work().finally(() => this.#working = void 0);
    });
  }
  async #work() {
    while (this.#waiting.length > 0) {
      await this.#turn();
      this.#current = this.#waiting;
      this.#waiting = [];
      const fate = await this.#decide(this.#current.flatMap((call) => "batches" in call ? call.batches : []));
      if (this.#isDropped) return;
      if (fate === "store" || fate === "store-then-unknown") this.#store(this.#current);
      if (fate === "store") for (const call of this.#current) call.resolve();
      else this.#fail(this.#current, fate);
      this.#current = [];
    }
  }
  #store(calls) {
    for (const call of calls) {
      if ("removed" in call) this.#runs.remove(call.removed);
      else for (const batch of call.texts) this.#runs.add(batch);
      this.#admission.settle("batches" in call ? call.batches : [{ run: call.removed }]);
    }
    this.#onDurable();
  }
  /** What was queued meanwhile was decided upon what failed: it is refused (CO1). */
  #fail(calls, fate) {
    const later = this.#waiting;
    this.#waiting = [];
    this.#admission.reset();
    const refused3 = new FleetError("not_stored", "Nothing was stored: the memory store was told to refuse. Try again.");
    const unknown2 = new FleetError("outcome_unknown", "The append may be stored or not. Read the run to learn which.");
    for (const call of calls) call.reject(fate === "refuse" ? refused3 : unknown2);
    for (const call of later) call.reject(refused3);
  }
};

// src/store/memory-inbox.ts
var answersKept = 1e3;
var MemoryInbox = class {
  #clock;
  #posted = /* @__PURE__ */ new Map();
  #changed = new Bell();
  constructor(clock) {
    this.#clock = clock;
  }
  async post(command, { waitMs, signal }) {
    signal?.throwIfAborted();
    const posted = this.#posted.get(command.id) ?? { command: structuredClone(command), isTaken: false, answer: void 0 };
    this.#posted.set(command.id, posted);
    this.#changed.ring();
    const until = this.#clock.monotonic() + waitMs;
    while (posted.answer === void 0 && this.#clock.monotonic() < until) {
      var _stack = [];
      try {
        const done = new AbortController();
        const both = __using(_stack, joinSignals([done.signal, signal]));
        const rest = this.#clock.sleep(until - this.#clock.monotonic(), { signal: both.signal });
        await Promise.race([this.#changed.wait(both.signal), rest]);
        done.abort();
        signal?.throwIfAborted();
      } catch (_) {
        var _error = _, _hasError = true;
      } finally {
        __callDispose(_stack, _error, _hasError);
      }
    }
    if (posted.answer !== void 0) this.#posted.delete(command.id);
    return posted.answer;
  }
  async *take(signal) {
    while (!signal.aborted) {
      const next = [...this.#posted.values()].find(({ isTaken }) => !isTaken);
      if (next === void 0) {
        await this.#changed.wait(signal);
        continue;
      }
      next.isTaken = true;
      yield {
        command: next.command,
        answer: async (answer) => {
          next.answer = structuredClone(answer);
          this.#forgetAnswers();
          this.#changed.ring();
        }
      };
    }
  }
  /** Answers that nobody fetched do not pile up. */
  #forgetAnswers() {
    const answered = [...this.#posted.values()].filter(({ answer }) => answer !== void 0);
    for (const { command } of answered.slice(0, Math.max(0, answered.length - answersKept))) this.#posted.delete(command.id);
  }
  /** What was taken and not answered is there for the next owner. */
  giveBack() {
    for (const posted of this.#posted.values()) posted.isTaken = posted.answer !== void 0;
    this.#changed.ring();
  }
};

// src/store/memory.ts
function createMemoryStore(parts2) {
  return new StoreInMemory(parts2, {
    storeId: parts2.ids.next("store"),
    runs: new MemoryRuns(parts2.keepEndedRuns ?? 1e3),
    inbox: new MemoryInbox(parts2.clock),
    blobs: memoryBlobs(),
    snapshots: /* @__PURE__ */ new Map(),
    changed: new Bell(),
    epoch: 0,
    owner: void 0
  });
}
var StoreInMemory = class _StoreInMemory {
  name = "memory store";
  folder = void 0;
  blobs;
  #parts;
  #contents;
  #owned;
  #closing;
  #hasCrashed = false;
  constructor(parts2, contents) {
    this.#parts = parts2;
    this.#contents = contents;
    this.blobs = contents.blobs;
  }
  async open({ instance, waitMs = 0, signal }) {
    const contents = this.#contents;
    await this.#closing;
    await this.#ownerGone(waitMs, signal);
    if (contents.owner !== void 0) throw ownedError(contents.owner.record);
    contents.epoch += 1;
    this.#hasCrashed = false;
    const { epoch, runs, storeId } = contents;
    this.#owned = {
      record: { instance, epoch, host: "this process", pid: 0, since: this.#parts.clock.now(), alive: true },
      commit: new MemoryCommit(
        runs,
        this.#parts.beforeAppend ?? (() => "store"),
        () => this.#onDurable(),
        () => this.#parts.clock.turn()
      ),
      granted: /* @__PURE__ */ new Set(),
      lost: new AbortController(),
      ended: new AbortController()
    };
    contents.owner = this.#owned;
    return { storeId, epoch, warnings: [] };
  }
  async *claim({ runs: wanted, signal }) {
    const { granted, lost, ended: ended2 } = this.#requireOwned();
    const { runs, epoch } = this.#contents;
    const open3 = runs.names().filter((run) => run !== reservedId && !hasEnded(runs.row(run)) && (wanted === void 0 || wanted.includes(run)));
    for (const run of [reservedId, ...open3]) {
      if (signal?.aborted === true || ended2.signal.aborted) return;
      if (granted.has(run)) continue;
      granted.add(run);
      yield { run, epoch, lost: lost.signal, release: () => Promise.resolve(void granted.delete(run)) };
    }
  }
  async append(batches) {
    const { commit, granted } = this.#requireOwned();
    await commit.append(batches);
    for (const { run, after } of batches) if (after === 0) granted.add(run);
  }
  async read(run, { from, limit: limit2 }) {
    return this.#contents.runs.read(run, from, limit2).map((text3) => JSON.parse(text3));
  }
  async last(run) {
    return this.#contents.runs.seq(run);
  }
  lines(run) {
    return this.#contents.runs.read(run, 1, Number.MAX_SAFE_INTEGER);
  }
  async loadSnapshot(run) {
    const text3 = this.#contents.snapshots.get(run);
    return text3 === void 0 ? void 0 : JSON.parse(text3);
  }
  async saveSnapshot(run, { seq, shards, through }) {
    const owned = this.#requireOwned();
    const records = [];
    for (const shard of shards) records.push(...shard.records());
    const text3 = JSON.stringify({ seq, records });
    if (await through() === void 0 || this.#owned !== owned || this.#contents.runs.removed(run)) return;
    this.#contents.snapshots.set(run, text3);
  }
  async *watch(run, { from, signal }) {
    const { runs, changed: changed2 } = this.#contents;
    let last = from;
    while (!signal.aborted) {
      if (runs.seq(run) > last) yield last = runs.seq(run);
      else await changed2.wait(signal);
    }
  }
  async runs(query) {
    return listRows(this.#contents.runs.rows(), query);
  }
  async row(query) {
    const { runs } = this.#contents;
    const run = "id" in query ? query.id : runs.keyHolder(query.key);
    return run === void 0 ? void 0 : runs.row(run);
  }
  post(...[command, options]) {
    return this.#contents.inbox.post(command, options);
  }
  async *inbox({ signal }) {
    const { ended: ended2 } = this.#requireOwned();
    yield* this.#contents.inbox.take(AbortSignal.any([signal, ended2.signal]));
  }
  async remove(run) {
    await this.#requireOwned().commit.remove(run);
    await this.#forget(run);
  }
  async owner() {
    return this.#contents.owner?.record;
  }
  close() {
    this.#closing ??= (this.#owned?.commit.idle() ?? Promise.resolve()).then(() => {
      this.#leave();
      this.#closing = void 0;
    });
    return this.#closing;
  }
  crash() {
    if (this.#owned === void 0) return;
    this.#hasCrashed = true;
    this.#owned.commit.drop();
    this.#owned.lost.abort();
    this.#leave();
  }
  peer() {
    return new _StoreInMemory(this.#parts, this.#contents);
  }
  #leave() {
    if (this.#owned === void 0) return;
    this.#owned.ended.abort();
    this.#owned = void 0;
    this.#contents.owner = void 0;
    this.#contents.inbox.giveBack();
  }
  #onDurable() {
    for (const run of this.#contents.runs.forgetEnded()) void this.#forget(run);
    this.#contents.changed.ring();
  }
  #forget(run) {
    this.#contents.snapshots.delete(run);
    return this.#contents.blobs.remove(run);
  }
  async #ownerGone(waitMs, signal) {
    const { clock } = this.#parts;
    const until = clock.monotonic() + waitMs;
    for (let owner = this.#contents.owner; owner !== void 0 && clock.monotonic() < until; owner = this.#contents.owner) {
      const waiting = signal === void 0 ? owner.ended.signal : AbortSignal.any([owner.ended.signal, signal]);
      await clock.sleep(until - clock.monotonic(), { signal: waiting });
      signal?.throwIfAborted();
    }
    signal?.throwIfAborted();
  }
  #requireOwned() {
    if (this.#owned !== void 0) return this.#owned;
    if (this.#hasCrashed)
      throw new FleetError("store_conflict", "This memory store crashed: others may own its runs. Open it again.");
    throw new FleetError("not_stored", "This memory store is not open for writing. Open it first.");
  }
};
function ownedError(owner) {
  return new FleetError("store_owned", `The memory store is open already (${owner.instance}). Close it first.`, {
    details: { owner }
  });
}

// src/fleet/stores.ts
function jsonStore(options) {
  return deferredStore(storeFacts(options.folder), async () => {
    const { createJsonStore } = await import("./chunks/json-store-5NV2NGHY.js");
    return createJsonStore({ ...options, clock: systemClock(), ids: systemIds() });
  });
}
function memoryStore(options = {}) {
  return createMemoryStore({ ...options, clock: systemClock(), ids: systemIds() });
}

// src/fleet/create-fleet.ts
var limitDefaults = { ...engineDefaults, ...collectorLimits, eventBuffer: 1024 };
async function createFleet(options = {}) {
  return (await openFleet(options)).fleet;
}
async function openFleet(options, parts2 = {}) {
  const limits4 = { ...limitDefaults, ...checkOptions(options) };
  const clock = options.clock ?? systemClock();
  const store = options.store ?? memoryStore();
  const inUse = createSecretsInUse(parts2.redactor ?? createRedactor);
  const environment = systemEnvironment();
  const host2 = {
    clock,
    environment,
    ...options.files === void 0 && { makeFolder },
    redactor: () => inUse.redactor,
    probe: once2(probeSandbox),
    hidden: [store.home ?? store.folder ?? []].flat(),
    containers: containerPorts(options.containers ?? {}, environment)
  };
  const world = {
    options,
    limits: limits4,
    host: host2,
    plans: parts2.standIn?.plans ?? workersOf(options, host2),
    store,
    inUse,
    reap: parts2.reap ?? reapOrphans
  };
  if (parts2.standIn !== void 0) return openThrough(parts2.standIn.seam, world, unrecorded);
  if (options.record !== true) return openWorld(world, unrecorded);
  const recording = createRecording({ store, clock, inUse, sink: parts2.sink });
  parts2.recorded?.(recording.recorder);
  return openThrough(recording.recorder, world, recording);
}
async function openThrough(seam, world, recording) {
  return seam.call("open", openingOf(world), () => openWorld(world, recording, seam), { shown: () => void 0 });
}
function once2(ask2) {
  let answered;
  return () => (answered ??= { answer: ask2() }).answer;
}

// src/fleet/dry-run-alerts.ts
function dryRunAlerts(input, options = {}) {
  const spec = FleetRunSpec.parse(input);
  const classes = options.classes ?? alertEventClasses;
  const clock = systemClock();
  const sinks2 = { ...createAlertSinks({ send: sendsNothing, secret: hasNone, clock }), ...options.sinks };
  const told3 = /* @__PURE__ */ new Set();
  return spec.tasks.flatMap((task) => {
    const { alert_policy: policy } = task;
    if (policy === void 0) return [];
    const asked = classes.filter((name) => covers(policy, name));
    return asked.flatMap(
      (name) => policy.channels.flatMap((channel2, place) => {
        const text3 = JSON.stringify(channel2);
        if (name === "run_completed" && told3.has(text3)) return [];
        if (name === "run_completed") told3.add(text3);
        const alert = {
          id: "alert_dryrun_0_0",
          action: "trigger",
          class: name,
          incident: `dryrun/${task.id}/${name}`,
          run: { id: spec.id ?? "run-of-this-file", name: spec.name },
          task: { id: task.id, name: task.name },
          attempt: 1,
          reason: "This is a dry run: nothing happened.",
          raisedAt: clock.now()
        };
        return [
          {
            task_id: task.id,
            class: name,
            channel: channel2.kind,
            place,
            ...held(name, policy),
            request: previewOf(sinks2, alert, channel2)
          }
        ];
      })
    );
  });
}
function held(name, policy) {
  const { after_attempts = 0, after_minutes_stale = 0 } = policy;
  const thresholds = thresholdsOf(name);
  return {
    ...thresholds.afterAttempts && after_attempts > 0 && { after_attempts },
    ...thresholds.afterMinutesStale && after_minutes_stale > 0 && { after_minutes_stale }
  };
}
function previewOf(sinks2, alert, channel2) {
  const sink = sinks2[channel2.kind];
  return sink.preview(alert, channel2);
}
var sendsNothing = () => Promise.resolve({ delivered: false, reason: "this is a dry run" });
var hasNone = () => Promise.resolve(void 0);

// src/worker/define-task.ts
function defineTask(definition) {
  return {
    ...definition,
    run: (attempt) => definition.run(attempt),
    task(given) {
      const { name, instructions, input, ...fields2 } = given;
      return {
        ...fields2,
        name: name ?? fields2.id,
        instructions: instructions ?? `Do ${definition.name}.`,
        handler: definition.name,
        // What a schema takes may be wider than JSON in its types; it is checked when the run is created.
        ...input !== void 0 && { input }
      };
    }
  };
}

// src/host/env-secrets.ts
function envSecrets(options = {}) {
  const { names: names3, environment = systemEnvironment() } = options;
  return {
    source: "env",
    resolve: (key) => names3 === void 0 || names3.includes(key) ? environment.get(key) : void 0
  };
}

// src/host/file-secrets.ts
import { constants as constants2 } from "node:fs";
import { lstat as lstat3, open as open2, realpath as realpath4 } from "node:fs/promises";
import { join as join6, resolve as resolve3, sep as sep3 } from "node:path";
var mostBytes2 = 64 * 1024;
function fileSecrets(where) {
  return {
    source: "file",
    async resolve(key) {
      const path = "folder" in where ? await pathIn(where.folder, key) : await pathOf2(where.files, key);
      return path === void 0 ? void 0 : readSecret(path);
    }
  };
}
async function pathIn(folder, key) {
  if (!/^[A-Za-z0-9._-]+$/.test(key) || key === "." || key === "..") return void 0;
  const base = await realpath4(folder).catch(absent2);
  const real = base === void 0 ? void 0 : await realpath4(join6(base, key)).catch(absent2);
  if (base === void 0 || real === void 0) return void 0;
  if (!real.startsWith(base === sep3 ? sep3 : base + sep3)) throw refused2(join6(base, key), "leads out of its folder by a link");
  return real;
}
async function pathOf2(files, key) {
  const given = Object.hasOwn(files, key) ? files[key] : void 0;
  if (given === void 0) return void 0;
  const path = resolve3(given);
  return await lstat3(path).catch(absent2) === void 0 ? void 0 : path;
}
async function readSecret(path) {
  const file = await open2(path, constants2.O_RDONLY | constants2.O_NOFOLLOW | constants2.O_NONBLOCK).catch(
    (error) => {
      throw refused2(path, error.code === "ELOOP" ? "is a link" : `cannot be opened (${error.code ?? "unknown error"})`);
    }
  );
  try {
    const problem = problemOf(await file.stat());
    if (problem !== void 0) throw refused2(path, problem);
    return (await readText(file, path)).replace(/\r?\n$/, "");
  } finally {
    await file.close();
  }
}
function problemOf(stats) {
  if (!stats.isFile()) return "is no regular file";
  if (stats.size > mostBytes2) return `is larger than ${mostBytes2} bytes`;
  const user = process.getuid?.();
  if (user === void 0) return void 0;
  if (stats.uid !== user && stats.uid !== 0) return "belongs to another user";
  const mode = stats.mode & 511;
  return (mode & 63) === 0 ? void 0 : `may be used by others than its owner (mode ${mode.toString(8)}; chmod 600 it)`;
}
async function readText(file, path) {
  const bytes = new Uint8Array(mostBytes2 + 1);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
  if (bytesRead > mostBytes2) throw refused2(path, `is larger than ${mostBytes2} bytes`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, bytesRead));
  } catch {
    throw refused2(path, "is no UTF-8 text");
  }
}
function absent2(error) {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return void 0;
  throw new FleetError("secret_unresolved", `A file cannot be looked for (${error.code ?? "unknown error"}).`);
}
function refused2(path, why) {
  return new FleetError("secret_unresolved", `The file ${path} ${why}.`, { details: { path } });
}

// src/fleet/perform-owned.ts
async function performOwned(store, command) {
  const { fleet, calls } = await openFleet({ store, leasing: false, carryOn: "none" });
  try {
    return await calls.perform(command);
  } finally {
    await fleet.close();
  }
}

// src/fleet/control.ts
var defaultWaitMs = 5e3;
var mostOwners = 5;
function openControl(store) {
  const source = storeSource(store, systemClock());
  return {
    run: (id) => createRunReader(source, id),
    runs: (query) => store.runs(query),
    owner: () => store.owner(),
    async summary() {
      let total = noTasks;
      for (const row of await store.runs()) total = addCounters(total, await countersOfRow(row));
      return { ...total, workers: {} };
    },
    async perform(command, { waitMs = defaultWaitMs, signal } = {}) {
      if (await store.row({ id: command.run_id }) === void 0) throw unknown(command.run_id);
      for (let owners = 1; ; owners += 1) {
        try {
          return await hand(command, waitMs, signal);
        } catch (error) {
          if (!FleetError.is(error, "fleet_closed") || owners === mostOwners) throw error;
        }
      }
    },
    close: () => store.close()
  };
  async function hand(command, waitMs, signal) {
    const owner = await store.owner();
    if (owner?.alive === false || owner === void 0) {
      try {
        return { ...await performOwned(store, command), by: "here" };
      } catch (error) {
        if (!FleetError.is(error, "store_owned")) throw error;
      }
    }
    return { ...await post(command, waitMs, signal), by: "owner" };
  }
  async function post(command, waitMs, signal) {
    const answer = await store.post({ id: systemIds().next("cmd"), command }, { waitMs, ...signal !== void 0 && { signal } });
    if (answer === void 0) {
      throw new FleetError(
        "posted_not_taken",
        `The command was posted, but not taken within ${waitMs / 1e3} s. The owner will take it when it can.`
      );
    }
    if (answer.ok) return answer.outcome;
    throw new FleetError(answer.code, answer.message, { details: answer.details ?? {} });
  }
  async function countersOfRow(row) {
    if (isEndedRun(row.status) && row.counts !== void 0) return { ...noTasks, ...row.counts };
    return source.look(row.id, (run) => run === void 0 ? noTasks : countersOf(run));
  }
}
function unknown(id) {
  return new FleetError("unknown_run", `No run ${id} in this store. List the runs with \`flotilla list\`.`, {
    details: { run_id: id }
  });
}

// src/transports/containers/container-trial.ts
import { spawnSync as spawnSync2 } from "node:child_process";
var patienceMs2 = 1e4;
function tryContainer(host2) {
  const ask2 = (args) => spawnSync2(host2.program, args, { env: host2.environment, encoding: "utf8", timeout: patienceMs2, killSignal: "SIGKILL" });
  const image = ask2(["images", "--quiet", "--no-trunc"]).stdout.split("\n")[0]?.trim() ?? "";
  if (image === "") return "untried";
  const name = `flotilla-trial-${process.pid}`;
  const none2 = { labels: {}, mounts: [], variables: {}, named: [], folder: void 0, filter: void 0, hasInput: false };
  const launch = { ...none2, name, image, command: ["/flotilla/no-program"], replacesProgram: true, limits: containerLimits };
  const tried = ask2(containerArguments({ ...launch, network: "none", user: "65534:65534" }, host2));
  ask2(["rm", "--force", name]);
  if (initProblem(tried.stderr) !== void 0) return "started";
  if (tried.signal !== null) return { failed: `a container did not start within ${patienceMs2 / 1e3} s` };
  return { failed: `a container does not start: ${tried.stderr.trim().split("\n").at(-1) || "it gave no reason"}` };
}

// src/fleet/kept-blobs.ts
var keptKinds = /* @__PURE__ */ new Set(["log", "evidence"]);
function blobsOfEntry(stored) {
  const { events = [], receipt, tasks = [] } = stored;
  const reported2 = events.filter((event) => event.state === "artifact");
  const addresses = tasks.flatMap(({ spec }) => keptAddressesOf(spec)).map((sha2562) => ({ sha256: sha2562, isKept: true }));
  return [...addresses, ...[...reported2, ...receipt?.artifacts ?? []].flatMap(refOf)];
}
function refOf({ kind, checksum }) {
  return checksum === void 0 ? [] : [{ sha256: checksum.slice("sha256:".length).toLowerCase(), isKept: keptKinds.has(kind) }];
}

// src/fleet/doctor.ts
async function verifyRun(options) {
  const json3 = await import("./chunks/json-store-5NV2NGHY.js");
  return json3.verifyChain(partsOf(json3, options.folder), options.run, options.head);
}
async function inspectStore(options) {
  const json3 = await import("./chunks/json-store-5NV2NGHY.js");
  return json3.inspectFolder(partsOf(json3, options.folder));
}
async function repairStore(options) {
  const { takeOver } = options;
  const json3 = await import("./chunks/json-store-5NV2NGHY.js");
  return json3.repairFolder(partsOf(json3, options.folder), takeOver === void 0 ? {} : { takeOver });
}
function inspectHost() {
  const probe2 = probeSandbox();
  return {
    sandbox: "host" in probe2 ? { possible: true } : { possible: false, because: probe2.missing },
    containers: inspectContainers()
  };
}
function inspectContainers() {
  const probe2 = probeContainers(systemEnvironment());
  if ("missing" in probe2) return { possible: false, because: probe2.missing };
  const { runtime } = probe2.host;
  const tried = tryContainer(probe2.host);
  return typeof tried === "string" ? { possible: true, runtime, tried: tried === "started" } : { possible: false, because: `${runtime} answers, but ${tried.failed}` };
}
function partsOf({ hostFacts, nodeDisk }, folder) {
  const ids = systemIds();
  const unique = () => `${hostFacts.self().pid}-${ids.next("t")}`;
  return { disk: nodeDisk, layout: layoutOf(folder), host: hostFacts, clock: systemClock(), ids, unique, blobsOf: blobsOfEntry };
}

// src/engine/public-event.ts
var nothing3 = () => ({});
var reasonLimit2 = 1e3;
var publish = {
  "run.created": ({ tasks, workflow }) => ({ task_count: tasks, workflow: workflow && { id: workflow.id, kind: workflow.kind } }),
  "run.status_changed": ({ status }) => ({ status }),
  "run.sealed": nothing3,
  "run.stalled": ({ waiting }) => ({ waiting }),
  "task.enqueued": ({ attempts }) => ({ attempts }),
  "task.leased": ({ lease_expires_at }) => ({ lease_expires_at }),
  "task.terminal": ({ status }) => ({ status }),
  "task.receipt_recorded": ({ receipt }) => ({
    attempt: receipt.attempt,
    result: receipt.result,
    failure_kind: receipt.failure_kind,
    score: receipt.score && { value: receipt.score.value, max: receipt.score.max },
    artifact_kinds: receipt.artifacts.map(({ kind }) => kind)
  }),
  "alert.raised": (payload) => ({ class: payload.class }),
  "alert.sent": ({ attempt, action, ...payload }) => ({ attempt, class: payload.class, action }),
  "alert.given_up": ({ action, ...payload }) => ({ class: payload.class, action }),
  "store.failing": nothing3,
  "store.recovered": nothing3,
  "worker.abandoned": nothing3,
  "worker.queued": nothing3,
  "worker.leased": ({ lease_expires_at }) => ({ lease_expires_at }),
  "worker.starting": nothing3,
  "worker.running": nothing3,
  "worker.model_wait": ({ model }) => ({ model }),
  "worker.running_tool": ({ tool }) => ({ tool }),
  "worker.workflow_event": ({ workflow_run_id, event }) => ({ workflow_run_id, type: typeOf(event) }),
  "worker.heartbeat": ({ cpu_percent, memory_mb }) => ({ cpu_percent, memory_mb }),
  "worker.artifact": ({ kind, mime_type, size_bytes }) => ({ kind, mime_type, size_bytes }),
  "worker.completed": ({ exit_code }) => ({ exit_code }),
  "worker.failed": ({ reason, recoverable }) => ({ reason: publicReason(reason), recoverable }),
  "worker.cancelled": nothing3,
  "worker.interrupted": nothing3,
  "worker.stale": ({ last_heartbeat_at }) => ({ last_heartbeat_at }),
  "worker.restarted": ({ restart_count }) => ({ restart_count }),
  "worker.escalated": ({ channel: channel2 }) => ({ channel: channel2 })
};
function publicEvent(event) {
  if (event.run_id === "") return void 0;
  const { cursor, run_id, task_id, worker_id, timestamp: timestamp2, worker_seq } = event;
  const of = publish[event.event];
  return {
    cursor,
    event: `fleet.${event.event}`,
    run_id,
    ...worker_id !== void 0 && { worker_id },
    ...task_id !== void 0 && { task_id },
    timestamp: timestamp2,
    ...worker_seq !== void 0 && { worker_seq },
    payload: withoutAbsent2(of(event.payload))
  };
}
function publicReason(reason) {
  const redacted = redactShapes(reason.split("\n", 1)[0] ?? "");
  return redacted.length <= reasonLimit2 ? redacted : `${redacted.slice(0, reasonLimit2)}...`;
}
function typeOf(event) {
  const type = typeof event === "object" && event !== null ? Reflect.get(event, "type") : void 0;
  return typeof type === "string" ? type : void 0;
}
function withoutAbsent2(payload) {
  return Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== void 0));
}
export {
  FleetError,
  NonRetryableError,
  checkRun2 as checkRun,
  childProcesses,
  container,
  createFleet,
  defineTask,
  dialIn,
  dryRunAlerts,
  envSecrets,
  errorCodes,
  fileSecrets,
  inspectHost,
  inspectStore,
  jsonStore,
  memoryStore,
  openControl,
  publicEvent,
  repairStore,
  ssh,
  verifyRun,
  workerThreads
};
