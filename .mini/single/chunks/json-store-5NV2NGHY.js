import {
  Admission,
  Bell,
  hasEnded,
  layoutOf,
  listRows,
  safeName,
  storeFacts
} from "./chunk-QE6KGEAA.js";
import {
  FleetError,
  reservedId
} from "./chunk-XBBK4D7O.js";
import {
  joinSignals
} from "./chunk-PCEBIWVM.js";
import {
  __callDispose,
  __using
} from "./chunk-RFYV5G4X.js";

// src/store/json/disk.ts
import { closeSync, constants, fdatasyncSync, fstatSync, openSync, read, statSync, writeSync } from "node:fs";
import { link, mkdir, open, readdir, rename, rm, stat, unlink } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
var nodeDisk = {
  open: async (path, { create }) => writable(await open(path, create ? "wx" : "r+")),
  read: async (path, from = 0, to = Number.MAX_SAFE_INTEGER) => {
    const file = openToRead(path);
    if (file === void 0) return Buffer.alloc(0);
    try {
      return await readRange(file, from, Math.min(to, fstatSync(file).size));
    } finally {
      closeSync(file);
    }
  },
  rewrite: async (path, at, bytes) => {
    const file = await open(path, "r+");
    try {
      for (let done = 0; done < bytes.length; )
        done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
      await file.datasync();
    } finally {
      await file.close();
    }
  },
  facts: async (path) => {
    const found = await orMissing(stat(path));
    return found && { size: found.size, modifiedAt: found.mtimeMs };
  },
  exists: (path) => statSync(path, { throwIfNoEntry: false }) !== void 0,
  list: async (folder) => (await orMissing(readdir(folder)) ?? []).toSorted(),
  link,
  rename,
  remove: async (path) => {
    await orMissing(unlink(path));
  },
  removeFolder: (path) => rm(path, { recursive: true, force: true }),
  makeFolder: (path) => mkdir(path, { recursive: true }),
  syncFolder: async (path) => {
    const folder = await open(path, "r").catch((error) => {
      if (isErrno(error, "EISDIR", "EPERM")) return void 0;
      throw error;
    });
    if (folder === void 0) return;
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
  turn: () => setImmediate()
};
function isErrno(error, ...codes) {
  return error instanceof Error && "code" in error && typeof error.code === "string" && codes.includes(error.code);
}
function writable(file) {
  return {
    write: (bytes, at) => writeSync(file.fd, bytes, 0, bytes.length, at),
    sync: () => file.datasync(),
    syncNow: () => fdatasyncSync(file.fd),
    truncate: (size) => file.truncate(size),
    close: () => file.close()
  };
}
var readSome = promisify(read);
function openToRead(path) {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return void 0;
    throw error;
  }
}
async function readRange(file, from, to) {
  const bytes = Buffer.allocUnsafe(Math.max(0, to - from));
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await readSome(file, bytes, filled, bytes.length - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
async function orMissing(operation) {
  try {
    return await operation;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return void 0;
    throw error;
  }
}

// src/store/json/index-document.ts
import { join as join2 } from "node:path";
import { crc32 as crc323 } from "node:zlib";
import { Low } from "lowdb";

// src/store/json/document-adapter.ts
import { crc32 as crc322 } from "node:zlib";

// src/store/json/segment-line.ts
import { hash } from "node:crypto";
import { crc32 } from "node:zlib";
var storeFormat = 1;
var suffixLength = 18;
function encodeHeader(header) {
  return sealed(`{"flotilla":${JSON.stringify(header)}`);
}
function encodePrevious(previous, { adopted = 0, dropped } = {}) {
  return sealed(JSON.stringify({ previous, ...adopted > 0 && { adopted }, dropped }).slice(0, -1));
}
function encodeClosed(at, offset) {
  return sealed(`{"closed":true,"at":${at},"offset":${offset}`);
}
function encodeCut(cut) {
  return sealed(JSON.stringify({ cut }).slice(0, -1));
}
function entryBody(content) {
  return JSON.stringify(content).slice(1, -1);
}
function entryTop({
  run,
  seq,
  prev,
  batch,
  offset
}) {
  const first = offset === void 0 ? "" : `,"offset":${offset}`;
  return `{"run":${JSON.stringify(run)},"seq":${seq},"prev":"${prev}","batch":[${batch[0]},${batch[1]}]${first},`;
}
function crcSuffix(crc) {
  return `,"crc":"${crc.toString(16).padStart(8, "0")}"}`;
}
function linePrefix(run) {
  return Buffer.from(`{"run":${JSON.stringify(run)},"seq":`);
}
function decodeLine(bytes, before) {
  if (!isSealed(bytes)) return void 0;
  return (before && decodeNext(bytes, before)) ?? lineOf(parseObject(bytes.toString()), bytes);
}
function decodePlace(bytes, before) {
  if (before !== void 0 && topBehind(bytes, before) !== void 0)
    return isSealed(bytes) ? placeBehind(before, bytes) : void 0;
  const found = placePattern.exec(bytes.toString("latin1", 0, placeBytes));
  if (found === null) return decodeLine(bytes);
  if (!isSealed(bytes)) return void 0;
  const [, run = "", seq, prev = "", place, size, offset] = found;
  return {
    kind: "entry",
    run,
    seq: Number(seq),
    prev,
    batch: [Number(place), Number(size)],
    ...offset !== void 0 && { offset: Number(offset) },
    hash: hash("sha256", bytes)
  };
}
function topBehind(bytes, { run, seq, hash: prev, batch: [place, size] }) {
  if (place >= size) return void 0;
  const top = `${entryTop({ run, seq: seq + 1, prev, batch: [place + 1, size] })}"entry":`;
  return bytes.toString("latin1", 0, top.length) === top ? top : void 0;
}
function decodeNext(bytes, before) {
  const top = topBehind(bytes, before);
  if (top === void 0) return void 0;
  const entry = parseEntry(bytes.toString("utf8", top.length, bytes.length - suffixLength));
  return entry && placeBehind(before, bytes, entry);
}
function placeBehind({ run, seq, hash: prev, batch: [place, size] }, bytes, entry) {
  const batch = [place + 1, size];
  const own = hash("sha256", bytes);
  return entry === void 0 ? { kind: "entry", run, seq: seq + 1, prev, batch, hash: own } : { kind: "entry", run, seq: seq + 1, prev, batch, entry, hash: own };
}
var placePattern = /^\{"run":"([A-Za-z0-9._-]{1,128})","seq":(\d{1,15}),"prev":"([0-9a-f]*)","batch":\[(\d{1,9}),(\d{1,9})\](?:,"offset":(\d{1,15}))?,"entry":/;
var placeBytes = 400;
function isSealed(bytes) {
  const body = bytes.length - suffixLength;
  return body >= 2 && bytes.toString("latin1", body) === crcSuffix(crc32(bytes.subarray(0, body)));
}
function claimedFormat(bytes) {
  const found = /^\{"flotilla":\{"format":(\d{1,9}),/.exec(bytes.toString("latin1", 0, 40));
  return found?.[1] === void 0 ? void 0 : Number(found[1]);
}
function lineOf(value, bytes) {
  if (value["run"] !== void 0)
    return Object.assign(value, { kind: "entry", hash: hash("sha256", bytes) });
  if (value["flotilla"] !== void 0) return { kind: "header", header: value["flotilla"] };
  if (value["previous"] !== void 0) return { ...value, kind: "previous" };
  if (value["cut"] !== void 0) return { kind: "cut", cut: value["cut"] };
  return value["closed"] === void 0 ? void 0 : { ...value, kind: "closed" };
}
function parseObject(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
function parseEntry(text) {
  try {
    return JSON.parse(text);
  } catch {
    return void 0;
  }
}
function sealed(text) {
  return `${text}${crcSuffix(crc32(text))}
`;
}

// src/store/json/whole-file.ts
import { dirname } from "node:path";

// src/store/json/segment-file.ts
var leastRoomBytes = 16 * 1024;
var SegmentFile = class {
  #file;
  #mostRoom;
  #end;
  /** Where the room ends; at the end of the segment, or before it, when there is none. */
  #roomTo;
  #mayMakeRoom = true;
  constructor(file, end, mostRoom) {
    this.#file = file;
    this.#end = end;
    this.#roomTo = end;
    this.#mostRoom = mostRoom;
  }
  /** Appends all bytes. What a failed append left behind the end is to be cut off. */
  append(bytes) {
    if (this.#mayMakeRoom && this.#end + bytes.length > this.#roomTo) this.#makeRoom(bytes.length);
    writeAll(this.#file, bytes, this.#end);
    this.#end += bytes.length;
  }
  /** Cuts off what stands behind an offset, the room included. */
  async truncate(size) {
    await this.#file.truncate(size);
    this.#end = size;
    this.#roomTo = size;
  }
  sync() {
    return this.#file.sync();
  }
  syncNow() {
    this.#file.syncNow();
  }
  /** Gives the room back. */
  async trim() {
    if (this.#roomTo > this.#end) await this.truncate(this.#end);
  }
  async close() {
    await this.trim().catch(() => void 0);
    await this.#file.close();
  }
  /** Where the disk does not give it, the segment grows as it is written. */
  #makeRoom(bytes) {
    const from = Math.max(this.#end, this.#roomTo);
    const more = Math.min(this.#mostRoom, Math.max(leastRoomBytes, this.#end));
    if (more === 0) return;
    try {
      writeAll(this.#file, Buffer.alloc(this.#end + bytes + more - from), from);
      this.#roomTo = this.#end + bytes + more;
    } catch {
      this.#mayMakeRoom = false;
    }
  }
};
function writeAll(file, bytes, at) {
  for (let done = 0; done < bytes.length; ) {
    const taken = file.write(done === 0 ? bytes : bytes.subarray(done), at + done);
    if (taken <= 0) throw new Error(`the disk took ${done} of ${bytes.length} bytes`);
    done += taken;
  }
}

// src/store/json/whole-file.ts
async function replaceFile(disk, path, bytes, unique) {
  const temporary = `${path}.${unique}.tmp`;
  try {
    await writeSynced(disk, temporary, bytes);
    await disk.rename(temporary, path);
  } catch (error) {
    await disk.remove(temporary).catch(() => void 0);
    throw error;
  }
  await disk.syncFolder(dirname(path));
}
async function createFile(disk, path, bytes, unique) {
  const temporary = `${path}.${unique}.tmp`;
  try {
    await writeSynced(disk, temporary, bytes);
    await disk.link(temporary, path);
  } catch (error) {
    if (isErrno(error, "EEXIST", "ENOENT")) return false;
    throw error;
  } finally {
    await disk.remove(temporary).catch(() => void 0);
  }
  await disk.syncFolder(dirname(path));
  return true;
}
async function writeSynced(disk, path, bytes) {
  const file = await disk.open(path, { create: true });
  try {
    writeAll(file, bytes, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

// src/store/json/document-adapter.ts
var beforeData = Buffer.from(',\n"data":');
var afterData = Buffer.from("}\n");
var DocumentAdapter = class {
  #disk;
  #path;
  #kind;
  #unique;
  constructor(disk, path, kind, unique) {
    this.#disk = disk;
    this.#path = path;
    this.#kind = kind;
    this.#unique = unique;
  }
  async read() {
    const bytes = await this.#disk.read(this.#path).catch(() => Buffer.alloc(0));
    const at = bytes.indexOf(beforeData);
    const envelope = parseEnvelope(`${bytes.toString("utf8", 0, Math.max(at, 0))}}`);
    if (envelope === void 0) return null;
    const { format, document } = envelope.flotilla;
    if (format > storeFormat)
      throw new FleetError(
        "store_too_new",
        `${this.#path} has store format ${format}; this version knows ${storeFormat}. Upgrade flotilla; nothing was changed.`,
        {
          details: { file: this.#path, format }
        }
      );
    const data = bytes.subarray(at + beforeData.length, bytes.length - afterData.length);
    const isWhole = document === this.#kind && bytes.subarray(-afterData.length).equals(afterData) && envelope.crc === checksum(data);
    return isWhole ? JSON.parse(data.toString()) : null;
  }
  async write(data) {
    const bytes = Buffer.from(JSON.stringify(data));
    const top = JSON.stringify({
      flotilla: { format: storeFormat, document: this.#kind },
      crc: checksum(bytes)
    });
    const whole = Buffer.concat([Buffer.from(top.slice(0, -1)), beforeData, bytes, afterData]);
    await replaceFile(this.#disk, this.#path, whole, this.#unique());
  }
};
function parseEnvelope(text) {
  try {
    const value = JSON.parse(text);
    return typeof value?.flotilla?.format === "number" ? value : void 0;
  } catch {
    return void 0;
  }
}
function checksum(data) {
  return crc322(data).toString(16).padStart(8, "0");
}

// src/store/json/head-shards.ts
var runsPerShard = 500;
var HeadShards = class {
  /** By file. */
  #refs;
  #apart;
  /** The shards of loaded heads, by run. */
  #fileOf = /* @__PURE__ */ new Map();
  constructor(refs) {
    this.#refs = new Map(refs.map((ref) => [ref.file, ref]));
    this.#apart = new Set(this.#refs.keys());
  }
  get refs() {
    return [...this.#refs.values()];
  }
  get areApart() {
    return this.#apart.size > 0;
  }
  /** The shard that was not loaded and has the newest run. */
  get nextApart() {
    const apart = this.refs.filter(({ file }) => this.#apart.has(file));
    return apart.reduce(
      (next, ref) => next === void 0 || ref.newest > next.newest ? ref : next,
      void 0
    );
  }
  /** Counts a shard as loaded, and gives those of its heads that are not kept elsewhere. */
  load({ file }, heads) {
    const ref = this.#refs.get(file);
    if (ref === void 0 || !this.#apart.delete(file)) return [];
    const stale = new Set(ref.stale);
    const kept = heads.filter(({ run }) => !stale.has(run));
    for (const { run } of kept) this.#fileOf.set(run, file);
    return kept;
  }
  /** What the shards that were not loaded hold is known from elsewhere. */
  giveUpApart() {
    for (const file of this.#apart) this.#refs.delete(file);
    this.#apart.clear();
  }
  /** The head is no longer what its shard says. */
  changed({ run }) {
    const file = this.#fileOf.get(run);
    const ref = file === void 0 ? void 0 : this.#refs.get(file);
    this.#fileOf.delete(run);
    if (ref !== void 0) this.#refs.set(ref.file, { ...ref, stale: [...ref.stale, run] });
  }
  /** Gives up shards of which most is stale; their other heads are to be kept elsewhere. */
  dissolve() {
    for (const { file, runs, stale } of this.refs) {
      if (stale.length < runs && (stale.length * 2 <= runs || this.#apart.has(file))) continue;
      this.#refs.delete(file);
      this.#apart.delete(file);
      for (const [run, at] of this.#fileOf) if (at === file) this.#fileOf.delete(run);
    }
  }
  /** Divides heads into full shards to be written, and the rest; `isBusy` tells of those that may not be put away yet. */
  divide(heads, isBusy) {
    const unfiled = [...heads].filter(({ run }) => !this.#fileOf.has(run));
    const settled = unfiled.filter((head) => isSettled(head) && !isBusy(head.run)).toSorted((a, b) => a.order - b.order);
    const shards = [];
    for (let from = 0; from + runsPerShard <= settled.length; from += runsPerShard) {
      const some = settled.slice(from, from + runsPerShard);
      shards.push({ heads: some, newest: some.reduce((newest, { row }) => Math.max(newest, row?.createdAt ?? 0), 0) });
    }
    const put = new Set(shards.flatMap((shard) => shard.heads));
    return { shards, rest: unfiled.filter((head) => !put.has(head)) };
  }
  /** A shard was written; `changed` names those of its runs that are no longer what was written. */
  add(ref, heads, changed) {
    this.#refs.set(ref.file, { ...ref, stale: changed });
    const stale = new Set(changed);
    for (const { run } of heads) if (!stale.has(run)) this.#fileOf.set(run, ref.file);
  }
};
function isSettled({ row, removed, damage }) {
  return damage === void 0 && (removed === true || hasEnded(row));
}

// src/store/json/marks.ts
var everyEntries = 64;
var everyBytes = 32 * 1024;
var mostFreshMarks = 65536;
function needsMark(last, next) {
  if (last?.segment !== next.segment) return true;
  return next.seq - last.seq >= everyEntries || next.byte - last.byte >= everyBytes;
}
function thinMarks(marks) {
  return marks.filter((mark, index) => mark.segment !== marks[index - 1]?.segment);
}
function sparseMarks(marks) {
  const kept = [];
  for (const mark of marks) {
    const last = kept.at(-1);
    if (last?.segment !== mark.segment || mark.seq - last.seq >= everyEntries) kept.push(mark);
  }
  return kept;
}
function markBefore(marks, seq) {
  let [low, high] = [0, marks.length];
  while (low < high) {
    const middle = low + high >> 1;
    if ((marks[middle]?.seq ?? 0) <= seq) low = middle + 1;
    else high = middle;
  }
  return marks[low - 1];
}

// src/store/json/segment-use.ts
var SegmentUse = class {
  #uses;
  constructor(uses = []) {
    this.#uses = new Map(uses.map(([segment, use]) => [segment, { ...use }]));
  }
  /** As it is written to the index. */
  all() {
    return [...this.#uses].map(([segment, use]) => [segment, { ...use }]);
  }
  of(segment) {
    return this.#uses.get(segment) ?? { runs: 0, tombstones: 0 };
  }
  entered(segment) {
    this.#useOf(segment).runs += 1;
  }
  left(segments) {
    for (const segment of new Set(segments)) this.#useOf(segment).runs -= 1;
  }
  recorded(segment, tombstones) {
    this.#useOf(segment).tombstones += tombstones;
  }
  dropped(segments) {
    for (const segment of segments) this.#uses.delete(segment);
  }
  #useOf(segment) {
    const use = this.#uses.get(segment) ?? { runs: 0, tombstones: 0 };
    this.#uses.set(segment, use);
    return use;
  }
};

// src/store/json/run-heads.ts
var RunHeads = class {
  shards;
  segments;
  #heads = /* @__PURE__ */ new Map();
  #keys = /* @__PURE__ */ new Map();
  /** Damaged places of which nobody knows whose they are. */
  #unclaimed = [];
  #created;
  /** Runs that ended last, and how many marks they have together. */
  #fresh = [];
  #freshMarks = 0;
  constructor({ shards = new HeadShards([]), segments = new SegmentUse(), heads = [], created = 0 } = {}) {
    this.shards = shards;
    this.segments = segments;
    this.#created = created;
    for (const head of heads) this.#add(head);
  }
  get(run) {
    return this.#heads.get(run);
  }
  all() {
    return this.#heads.values();
  }
  get created() {
    return this.#created;
  }
  /** Whether the run may be in a shard that was not loaded. */
  lacks(run) {
    return this.shards.areApart && !this.#heads.has(run);
  }
  lacksKey(key) {
    return this.shards.areApart && !this.#keys.has(key);
  }
  seq(run) {
    return this.#heads.get(run)?.seq ?? 0;
  }
  removed(run) {
    return this.#heads.get(run)?.removed === true;
  }
  keyHolder(key) {
    return this.#keys.get(key);
  }
  /** In the order in which the runs came. */
  rows() {
    const known = [...this.#heads.values()].filter(({ row }) => row !== void 0).toSorted((a, b) => a.order - b.order);
    return known.flatMap(({ row }) => row ?? []);
  }
  /** Takes in the heads of a shard. */
  load(shard, heads) {
    for (const head of this.shards.load(shard, heads)) this.#add(head);
  }
  /** Takes in what another reading of the same journal found, instead of the shards that were not loaded. */
  adopt(heads) {
    this.shards.giveUpApart();
    for (const head of heads.all()) if (!this.#heads.has(head.run)) this.#add(head);
  }
  /** Places of damage, and whose history breaks there, where that can be told. */
  get damages() {
    const claimed = [...this.#heads.values()].flatMap(({ run, damage }) => damage === void 0 ? [] : [{ run, place: damage }]);
    return [...claimed, ...this.#unclaimed.map((place) => ({ run: void 0, place }))];
  }
  /** Starts a stream whose first entries went with their segments. */
  begin(base) {
    const head = this.#heads.get(base.run) ?? this.#create(base.run);
    head.base = base;
    head.marks = head.marks.filter(({ seq }) => seq > base.seq);
    if (head.seq >= base.seq) return;
    head.seq = base.seq;
    head.hash = base.hash;
  }
  /** Takes in what became of segments; their removed runs are known already when the record is one's own. */
  foldDrop({ segments, removed, base }, segment, isOwn) {
    for (const run of isOwn ? [] : removed) {
      const head = this.#heads.get(run) ?? this.#create(run);
      if (head.removed !== true) this.#remove(head);
    }
    this.segments.dropped(segments);
    this.segments.recorded(segment, removed.length);
    if (base !== void 0) this.begin(base);
  }
  fold(items, segment) {
    for (const item of items) {
      if (item.kind === "control" && item.line.kind === "previous" && item.line.dropped !== void 0)
        this.foldDrop(item.line.dropped, segment, false);
      if (item.kind === "batch") for (const line of item.lines) this.foldLine(line, segment);
      if (item.kind === "control" && item.line.kind === "cut") this.#cut(item.line.cut, { segment, byte: item.byte });
      if (item.kind === "bad") this.#foldBad(item, { segment, byte: item.byte });
    }
  }
  /** Takes in a line whose offset counts from `base`. */
  foldLine(line, segment, base = 0) {
    const head = this.#heads.get(line.run) ?? this.#create(line.run);
    this.shards.changed(head);
    const place = { segment, byte: base + line.byte };
    if (line.removed !== void 0 && head.removed !== true) {
      head.seq = line.seq;
      this.segments.recorded(segment, 1);
      this.#remove(head);
    }
    if (head.removed === true || line.seq <= (head.base?.seq ?? 0)) return;
    if (line.seq !== head.seq + 1 || line.prev !== head.hash) {
      head.damage ??= place;
      return;
    }
    if (head.damage !== void 0) this.#clear(head, head.damage);
    const mark = head.marks.at(-1);
    if (mark?.segment !== segment && line.run !== reservedId) this.segments.entered(segment);
    const isCut = head.cuts?.at(-1)?.seq === head.seq;
    const next = { seq: line.seq, ...place };
    if (isCut || needsMark(mark, next)) head.marks.push(next);
    head.seq = line.seq;
    head.hash = line.hash;
    if (line.row === void 0) return;
    head.row = line.row;
    if (hasEnded(line.row)) this.#thinLater(head);
    if (line.row.key !== void 0) this.#keys.set(line.row.key, line.run);
  }
  /** Whoever waited for a run reads it when it has ended; later hardly anybody does. */
  #thinLater(head) {
    this.#fresh.push({ head, marks: head.marks.length });
    this.#freshMarks += head.marks.length;
    while (this.#freshMarks > mostFreshMarks) {
      const oldest = this.#fresh.shift();
      if (oldest === void 0) break;
      this.#freshMarks -= oldest.marks;
      if (hasEnded(oldest.head.row)) oldest.head.marks = thinMarks(oldest.head.marks);
    }
  }
  #remove(head) {
    this.shards.changed(head);
    if (head.row?.key !== void 0) this.#keys.delete(head.row.key);
    this.segments.left(head.marks.map(({ segment }) => segment));
    for (const { segment } of head.cuts ?? []) this.segments.left([segment]);
    head.hash = "";
    head.marks = [];
    head.removed = true;
    delete head.row;
    delete head.damage;
    delete head.cuts;
  }
  /** The run goes on behind its last good entry; the segment of the record is needed for as long as the run is there. */
  #cut({ run, seq, hash: hash6 }, place) {
    const head = this.#heads.get(run);
    if (head === void 0 || head.removed === true || head.seq !== seq || head.hash !== hash6) return;
    this.shards.changed(head);
    head.cuts = [...head.cuts ?? [], { seq, ...place }];
    this.segments.entered(place.segment);
    delete head.damage;
  }
  #foldBad(item, place) {
    const heads = item.run === void 0 ? this.#ownersOf(item.text) : [this.#heads.get(item.run)];
    for (const head of heads) if (head !== void 0 && head.removed !== true) this.#break(head, place);
    if (heads.length === 0) this.#unclaimed.push(place);
  }
  #break(head, place) {
    this.shards.changed(head);
    head.damage ??= place;
  }
  /** Whose lines these bytes were: of run, sequence and hash, each of which may be what is damaged, enough must fit. */
  #ownersOf(text) {
    const found = [];
    for (const [, run = "", seq, prev = ""] of text.matchAll(/"run":"([^"]*)","seq":(\d+),"prev":"([^"]*)"/g)) {
      const named = this.#heads.get(run);
      const chained = prev === "" ? void 0 : [...this.#heads.values()].find((head) => head.hash === prev);
      if (chained !== void 0) found.push(chained);
      else if (named !== void 0) found.push(named);
      else if (seq === "1" && prev === "") found.push(this.#create(run));
    }
    return found;
  }
  /** The chain goes on without a gap: the damaged line bore this run's name by mistake. */
  #clear(head, place) {
    delete head.damage;
    this.#unclaimed.push(place);
  }
  #create(run) {
    const head = { run, order: this.#created, seq: 0, hash: "", marks: [] };
    this.#add(head);
    return head;
  }
  #add(head) {
    this.#created = Math.max(this.#created, head.order + 1);
    this.#heads.set(head.run, head);
    if (head.row?.key !== void 0) this.#keys.set(head.row.key, head.run);
  }
};

// src/store/json/segment-chain.ts
import { join } from "node:path";

// src/store/json/journal-bytes.ts
async function readJournal(disk, path, from, to) {
  try {
    const bytes = await disk.read(path, from, to);
    return to === void 0 ? withoutRoom(bytes) : bytes;
  } catch (cause) {
    throw new FleetError(
      "unreadable_file",
      `${path} could not be read from byte ${from}: ${reasonOf(cause)}. Check the disk and its permissions.`,
      {
        details: { file: path, byte: from },
        cause
      }
    );
  }
}
var zeros = Buffer.alloc(4096);
function withoutRoom(bytes) {
  let end = bytes.length;
  while (end >= zeros.length && bytes.compare(zeros, 0, zeros.length, end - zeros.length, end) === 0) end -= zeros.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return bytes.subarray(0, end);
}
function reasonOf(cause) {
  return cause instanceof Error ? cause.message : String(cause);
}

// src/store/json/segment-chain.ts
var segmentPattern = /^(\d{8})\.(\d{4})\.jsonl$/;
function segmentName(epoch, segment) {
  return `${String(epoch).padStart(8, "0")}.${String(segment).padStart(4, "0")}`;
}
function segmentPath(journal, segment) {
  return join(journal, `${segment}.jsonl`);
}
async function listSegments(disk, journal) {
  const names = (await disk.list(journal)).filter((name) => segmentPattern.test(name));
  return names.map((name) => name.slice(0, -".jsonl".length));
}
function missingSegments(disk, journal, links) {
  return links.map(({ segment }) => segment).filter((segment) => !disk.exists(segmentPath(journal, segment)));
}
async function resolveChain(disk, journal, tops = /* @__PURE__ */ new Map()) {
  const names = await listSegments(disk, journal);
  const newestName = names.at(-1);
  if (newestName === void 0) return { links: [], pending: false, warnings: [] };
  const topOf = async (segment) => {
    const known = tops.get(segment) ?? await readTop(disk, journal, segment);
    if (known.previous !== void 0) tops.set(segment, known);
    return known;
  };
  const copies = /* @__PURE__ */ new Set();
  const last = await newestBefore(void 0, names, topOf, copies);
  const { header } = last === void 0 ? {} : await topOf(last);
  const newest = { segment: last ?? newestName, epoch: epochOf(newestName), ...header && { header } };
  const walked = await walkBack(last, topOf, (segment) => newestBefore(segment, names, topOf, copies));
  const store = await storeOf(names, topOf);
  const told = [...copies].map(
    (name) => `${segmentPath(journal, name)} is a copy of another segment, and not read. Move it away.`
  );
  return { ...walked, warnings: [...told, ...walked.warnings], newest, ...store !== void 0 && { store } };
}
async function newestBefore(segment, names, topOf, copies) {
  for (const name of names.toReversed()) {
    if (segment !== void 0 && name >= segment) continue;
    const { header } = await topOf(name);
    if (header === void 0 || segmentName(header.epoch, header.segment) === name) return name;
    copies.add(name);
  }
  return void 0;
}
async function storeOf(names, topOf) {
  for (const name of names.toReversed()) {
    const { header } = await topOf(name);
    if (header !== void 0) return header.store;
  }
  return void 0;
}
async function walkBack(newest, topOf, newestBefore2) {
  const links = [];
  const warnings = [];
  let pending = false;
  let at = newest === void 0 ? void 0 : { segment: newest };
  while (at !== void 0) {
    const { segment, end } = at;
    const { previous, dropped, damaged: damaged2 } = await topOf(segment);
    const isFirst2 = segment.endsWith(".0001");
    if (previous === void 0 && !damaged2 && isFirst2 && links.length === 0) {
      pending = true;
      const before2 = await newestBefore2(segment);
      at = before2 === void 0 ? void 0 : { segment: before2 };
      continue;
    }
    links.unshift(end === void 0 ? { segment } : { segment, end });
    if (previous !== void 0 && (isFirst2 || dropped !== void 0)) {
      links.unshift(...previous);
      return { links, pending, warnings, ...dropped && { dropped } };
    }
    const [last] = previous ?? [];
    if (damaged2)
      warnings.push(`The second line of journal/${segment}.jsonl is damaged: older segments are read up to their last byte.`);
    const before = last === void 0 ? await newestBefore2(segment) : void 0;
    at = last ?? (before === void 0 ? void 0 : { segment: before, end: Number.MAX_SAFE_INTEGER });
  }
  return { links, pending, warnings };
}
async function readTop(disk, journal, segment) {
  const path = segmentPath(journal, segment);
  const lines = await firstLines(disk, path);
  const [first, second] = lines;
  const header = first && decodeLine(first);
  const format = header?.kind === "header" ? header.header.format : first && claimedFormat(first);
  if (format !== void 0 && format > storeFormat)
    throw new FleetError(
      "store_too_new",
      `${path} has store format ${format}; this version knows ${storeFormat}. Upgrade flotilla; nothing was changed.`,
      {
        details: { file: path, format }
      }
    );
  const previous = second && decodeLine(second);
  const known = header?.kind === "header" ? { header: header.header } : {};
  if (previous?.kind === "previous") {
    const { dropped } = previous;
    return { ...known, previous: previous.previous, ...dropped && { dropped }, damaged: false };
  }
  return { ...known, damaged: lines.length > 2 };
}
async function firstLines(disk, path) {
  for (let size = 4096; ; size *= 8) {
    const bytes = await readJournal(disk, path, 0, size);
    const lines = [];
    for (let start = 0, feed = bytes.indexOf(10); feed >= 0 && lines.length < 3; start = feed + 1, feed = bytes.indexOf(10, start))
      lines.push(bytes.subarray(start, feed));
    if (lines.length >= 3 || bytes.length < size) return lines;
  }
}
function epochOf(segment) {
  return Number(segment.slice(0, 8));
}

// src/store/json/index-document.ts
var beforeBytes = 256;
var restPerWrite = 20;
var IndexDocument = class {
  #parts;
  /** How much of the journal the index that was loaded stood for, whether or not the journal still fits it. */
  #known;
  #lastWriteMs = 0;
  #waiting;
  #writing = Promise.resolve();
  #hasSwept = false;
  constructor(parts) {
    this.#parts = parts;
  }
  /** What the index says, if it fits the journal. */
  async load(chain) {
    const { position, before, created, runs, shards, segments } = await this.#document().read() ?? { runs: [] };
    this.#known = position;
    if (position === void 0 || created === void 0 || !await this.#fits(chain, position, before)) return void 0;
    const known = { shards: new HeadShards(shards ?? []), segments: new SegmentUse(segments), heads: runs, created };
    return { heads: new RunHeads(known), position };
  }
  /** The heads in a shard; undefined when it does not read as it was written. */
  async shard({ file, runs }) {
    const data = await this.#shard(file).read();
    return data?.runs.length === runs ? data.runs : void 0;
  }
  get known() {
    return this.#known;
  }
  /** Writes soon: many changes, one write. */
  schedule(reader) {
    if (this.#waiting !== void 0) return;
    const waiting = new AbortController();
    this.#waiting = waiting;
    this.#writing = this.#writing.then(async () => {
      const ms = Math.max(this.#parts.delayMs, this.#lastWriteMs * restPerWrite);
      await this.#parts.clock.sleep(ms, { signal: waiting.signal, keepAlive: false });
      if (waiting.signal.aborted) return;
      this.#waiting = void 0;
      await this.#write(reader);
    });
  }
  /** Writes now, and waits for what was being written. */
  async flush(reader) {
    await this.cancel();
    await this.#write(reader);
  }
  /** Forgets a scheduled write, and waits for one that has begun. */
  async cancel() {
    this.#waiting?.abort();
    this.#waiting = void 0;
    await this.#writing;
  }
  /** Never rejects: an index that is behind costs time at the next opening, nothing else. */
  async #write(reader) {
    const { clock } = this.#parts;
    const startedAt = clock.monotonic();
    await this.#writeAll(reader).catch(() => void 0);
    this.#lastWriteMs = clock.monotonic() - startedAt;
  }
  async #writeAll({ position, heads }) {
    if (position === void 0) return;
    heads.shards.dissolve();
    const { shards, rest } = heads.shards.divide(heads.all(), this.#parts.isBusy);
    const created = heads.created;
    const runs = rest.map(copyOf);
    const filling = shards.map((shard) => ({ ...shard, heads: shard.heads.map(copyOf) }));
    const [refs, segments] = [heads.shards.refs, heads.segments.all()];
    const before = await this.#checksumBefore(position);
    if (before === void 0) return;
    const written = [];
    for (const shard of filling) written.push({ shard, ref: await this.#writeShard(shard) });
    const all = [...refs, ...written.map(({ ref }) => ref)];
    await new Low(this.#document(), { position, before, created, runs, shards: all, segments }).write();
    for (const { ref, shard } of written) heads.shards.add(ref, shard.heads, changedSince(shard.heads, heads));
    if (!this.#hasSwept || written.length > 0) await this.#sweep(all);
  }
  async #writeShard({ heads, newest }) {
    const { disk, layout, unique } = this.#parts;
    await disk.makeFolder(layout.shards);
    const file = `${String(heads[0]?.order ?? 0).padStart(8, "0")}-${unique()}.json`;
    await new Low(this.#shard(file), { runs: heads }).write();
    await disk.turn();
    return { file, runs: heads.length, newest, stale: [] };
  }
  /** Removes shards that the index does not name. */
  async #sweep(refs) {
    const { disk, layout } = this.#parts;
    const named = new Set(refs.map(({ file }) => file));
    for (const name of await disk.list(layout.shards)) if (!named.has(name)) await disk.remove(join2(layout.shards, name));
    this.#hasSwept = true;
  }
  #document() {
    const { disk, layout, unique } = this.#parts;
    return new DocumentAdapter(disk, layout.index, "index", unique);
  }
  #shard(file) {
    const { disk, layout, unique } = this.#parts;
    return new DocumentAdapter(disk, join2(layout.shards, file), "index-shard", unique);
  }
  async #fits(chain, position, before) {
    const link2 = chain.links.find(({ segment }) => segment === position.segment);
    if (link2 === void 0 || position.byte > (link2.end ?? Number.MAX_SAFE_INTEGER)) return false;
    return before !== void 0 && await this.#checksumBefore(position).catch(() => void 0) === before;
  }
  async #checksumBefore({ segment, byte }) {
    const { disk, layout } = this.#parts;
    const from = Math.max(0, byte - beforeBytes);
    const bytes = await disk.read(segmentPath(layout.journal, segment), from, byte);
    return bytes.length === byte - from ? crc323(bytes) : void 0;
  }
};
function copyOf(head) {
  return { ...head, marks: hasEnded(head.row) ? thinMarks(head.marks) : sparseMarks(head.marks) };
}
function changedSince(written, heads) {
  const changed = written.filter(({ run, seq, removed, damage }) => {
    const now = heads.get(run);
    return now?.seq !== seq || now.removed !== removed || now.damage !== damage;
  });
  return changed.map(({ run }) => run);
}

// src/store/json/snapshot.ts
import { join as join3 } from "node:path";
import { Low as Low2 } from "lowdb";
var readTries = 3;
var Snapshots = class {
  #parts;
  /** The last saving of each run that is under way. Never rejects. */
  #saving = /* @__PURE__ */ new Map();
  /** Of runs that go on, the shards that were written here, or read whole: another one is never part of the next snapshot. */
  #whole = /* @__PURE__ */ new Map();
  constructor(parts) {
    this.#parts = parts;
  }
  /** Saves, after what is being saved of the run already. A run that is removed gets no snapshot. */
  save(run, source) {
    const saved = (this.#saving.get(run) ?? Promise.resolve()).then(() => this.#saveUnlessRemoved(run, source));
    const settled = saved.catch(() => void 0);
    this.#saving.set(run, settled);
    void settled.then(() => {
      if (this.#saving.get(run) === settled) this.#saving.delete(run);
    });
    return saved;
  }
  /** The run's snapshot; undefined when there is none that is whole and fits the journal: then the entries say it all. */
  async load(run) {
    const { disk } = this.#parts;
    for (let left = readTries; left > 0; left -= 1) {
      const manifest = await this.#manifest(run);
      if (manifest === void 0) return void 0;
      const records = [];
      let isWhole = true;
      for (const { file } of manifest.shards) {
        const shard = await this.#shard(run, file).read();
        isWhole &&= shard?.run === run && shard.file === file;
        if (shard === null || !isWhole) break;
        for (const record of shard.records) records.push(record);
        await disk.turn();
      }
      if (!isWhole) continue;
      this.#remember(run, manifest.shards);
      return { seq: manifest.seq, records };
    }
    return void 0;
  }
  async #saveUnlessRemoved(run, source) {
    const { disk, layout, reader } = this.#parts;
    if (reader.heads.removed(run)) return;
    try {
      await this.#save(run, source);
    } catch (cause) {
      if (!reader.heads.removed(run)) throw cause;
    } finally {
      if (reader.heads.removed(run)) {
        this.#whole.delete(run);
        await disk.removeFolder(layout.run(run));
      }
    }
  }
  async #save(run, source) {
    const { disk, reader } = this.#parts;
    const folder = this.#shardFolder(run);
    await disk.makeFolder(folder);
    const there = new Set(await disk.list(folder));
    const whole = this.#whole.get(run);
    const before = await this.#manifest(run);
    const shards = [];
    for (const { seq, records } of source.shards) {
      const same = before?.shards[shards.length];
      const isSame = same?.seq === seq && there.has(same.file) && whole?.has(same.file) === true;
      const shard = isSame ? same : { seq, file: `${String(shards.length).padStart(4, "0")}-${seq}.json` };
      if (!isSame) await new Low2(this.#shard(run, shard.file), { run, file: shard.file, records: records() }).write();
      shards.push(shard);
      await disk.turn();
    }
    const through = await source.through();
    const head = reader.heads.get(run);
    const isDurable = through !== void 0 && head !== void 0 && through <= head.seq;
    if (isDurable) {
      const line = { seq: head.seq, hash: head.hash };
      await new Low2(this.#manifestFile(run), { seq: source.seq, through, line, shards }).write();
      this.#remember(run, shards);
    }
    const kept = new Set((isDurable ? shards : before?.shards)?.map(({ file }) => file));
    for (const name of await disk.list(folder)) if (!kept.has(name)) await disk.remove(join3(folder, name));
  }
  #remember(run, shards) {
    if (hasEnded(this.#parts.reader.heads.get(run)?.row)) this.#whole.delete(run);
    else this.#whole.set(run, new Set(shards.map(({ file }) => file)));
  }
  /** The run's manifest, if it fits the journal. */
  async #manifest(run) {
    const { reader } = this.#parts;
    const manifest = await this.#manifestFile(run).read();
    if (manifest?.line === void 0 || manifest.through > reader.heads.seq(run)) return void 0;
    return await reader.hashAt(run, manifest.line.seq) === manifest.line.hash ? manifest : void 0;
  }
  #manifestFile(run) {
    const { disk, layout, unique } = this.#parts;
    return new DocumentAdapter(disk, join3(layout.run(run), "snapshot.json"), "snapshot", unique);
  }
  #shard(run, file) {
    const { disk, unique } = this.#parts;
    return new DocumentAdapter(disk, join3(this.#shardFolder(run), file), "snapshot-shard", unique);
  }
  #shardFolder(run) {
    return join3(this.#parts.layout.run(run), "snapshot");
  }
};

// src/store/json/doctor/blob-check.ts
import { hash as hash2 } from "node:crypto";
import { join as join4 } from "node:path";

// src/store/json/segment-parse.ts
var lineFeed = 10;
var attributableBytes = 4096;
var pieceBytes = 512 * 1024;
function parseSegment(bytes, base, settled) {
  const parser = new SegmentParser(base, decodeLine);
  parser.feed(bytes);
  parser.finish(settled);
  return parser.take();
}
var SegmentParser = class {
  #stretch;
  #decode;
  #at;
  #last;
  constructor(base, decode) {
    this.#stretch = new Stretch(base);
    this.#decode = decode;
    this.#at = base;
  }
  /** Takes the bytes that follow. All but the last piece end in a line feed. */
  feed(bytes) {
    const stretch = this.#stretch;
    let start = 0;
    while (start < bytes.length) {
      const feed = bytes.indexOf(lineFeed, start);
      const stop = feed < 0 ? bytes.length : feed;
      const piece = bytes.subarray(start, stop);
      const line = feed < 0 ? void 0 : this.#decode(piece, this.#last);
      const [byte, end] = [this.#at + start, this.#at + stop + 1];
      this.#last = line?.kind === "entry" ? line : void 0;
      if (line === void 0) stretch.bad(byte, piece);
      else if (line.kind === "entry") stretch.entry(line, byte, end, piece);
      else stretch.control(line, byte, end);
      start = stop + 1;
    }
    this.#at += bytes.length;
  }
  /** No more follows; `settled`: the bytes end where the segment was recorded to end. */
  finish(settled) {
    if (settled) this.#stretch.settle(this.#at);
  }
  /** What was found since it was asked last. */
  take() {
    return this.#stretch.take();
  }
};
function* pieces(bytes) {
  for (let start = 0; start < bytes.length; ) {
    const feed = bytes.indexOf(lineFeed, start + pieceBytes);
    const stop = feed < 0 ? bytes.length : feed + 1;
    yield bytes.subarray(start, stop);
    start = stop;
  }
}
var Stretch = class {
  #items = [];
  /** Bad items and what follows them, until something confirms them. */
  #held = [];
  #end;
  #synced;
  #batch = [];
  #adoptedTo = 0;
  /** How much further behind lines stand than where they were written, because of damage that was told. */
  #shift = 0;
  /** Something that does not read came since the last write began. */
  #hasBad = false;
  constructor(base) {
    this.#end = base;
    this.#synced = base;
  }
  bad(byte, piece) {
    this.#breakBatch(byte);
    this.#hasBad = true;
    this.#held.push({ kind: "bad", byte, text: piece.toString("latin1", 0, attributableBytes) });
  }
  entry(line, byte, end, piece) {
    const last = this.#batch.at(-1);
    const continues = last !== void 0 && follows(last, line);
    if (!continues) this.#breakBatch(byte);
    if (line.offset !== void 0) this.#place(byte, line.offset);
    if (!continues && line.batch[0] !== 1) return this.bad(byte, piece);
    this.#batch.push(Object.assign(line, { byte }));
    if (line.batch[0] !== line.batch[1]) return;
    this.#push({ kind: "batch", lines: this.#batch }, end);
    this.#batch = [];
  }
  control(line, byte, end) {
    this.#breakBatch(byte);
    if (line.kind === "previous") this.#adoptedTo = end + (line.adopted ?? 0);
    if (line.kind === "closed") this.#place(byte, line.offset ?? byte);
    this.#push({ kind: "control", byte, line }, end);
  }
  settle(at) {
    this.#breakBatch(at);
    this.#confirm(at);
  }
  take() {
    const items = this.#items;
    this.#items = [];
    return { items, end: this.#end, synced: this.#synced };
  }
  #push(item, end) {
    if (this.#held.length > 0) {
      this.#held.push(item);
      return;
    }
    this.#items.push(item);
    this.#end = end;
  }
  /** A batch cut short: what stands of it, and the place where the rest is missing. */
  #breakBatch(byte) {
    const [first] = this.#batch;
    if (first === void 0) return;
    this.#held.push({ kind: "batch", lines: this.#batch }, { kind: "bad", byte, text: "", run: first.run });
    this.#batch = [];
  }
  /** Takes what stands before a write for synced, and for all that was there when it was written. */
  #place(byte, offset) {
    this.#confirm(byte);
    const shift = byte < this.#adoptedTo ? this.#shift : byte - offset;
    if (shift !== this.#shift && !this.#hasBad) this.#items.push({ kind: "bad", byte, text: "" });
    this.#shift = shift;
    this.#hasBad = false;
  }
  #confirm(byte) {
    this.#items.push(...this.#held);
    this.#held = [];
    this.#end = byte;
    this.#synced = byte;
  }
};
function follows(last, line) {
  return line.run === last.run && line.batch[1] === last.batch[1] && line.batch[0] === last.batch[0] + 1;
}

// src/store/json/doctor/journal-walk.ts
async function* walkJournal(disk, journal, { links }) {
  for (const { segment, end } of links) {
    const bytes = await readJournal(disk, segmentPath(journal, segment), 0, end);
    yield { ...parseSegment(bytes, 0, end !== void 0), segment, size: bytes.length };
    await disk.turn();
  }
}

// src/store/json/doctor/blob-check.ts
async function checkBlobs(store) {
  const { disk, layout, heads } = store;
  const named = await blobsNamed(store);
  const findings = [];
  const runs = /* @__PURE__ */ new Set([...await disk.list(layout.runs), ...named.keys()]);
  for (const run of runs) {
    if (heads.seq(run) === 0 || heads.removed(run)) continue;
    const folder = join4(layout.run(run), "blobs");
    const refs = named.get(run) ?? /* @__PURE__ */ new Map();
    const there = (await disk.list(folder)).filter((name) => !name.endsWith(".tmp"));
    const found = (weight, message, name) => void findings.push({ part: "blobs", weight, message, run, file: join4(folder, name) });
    for (const name of there) {
      if (hash2("sha256", await disk.read(join4(folder, name))) !== name)
        found("lost", "A blob does not hold what it is named by.", name);
      else if (!refs.has(name)) found("note", "A blob is named by no entry.", name);
    }
    for (const [name, isKept] of refs)
      if (isKept && !there.includes(name)) found("lost", "A blob that an entry names is missing.", name);
  }
  return findings;
}
async function blobsNamed({ disk, layout, chain, blobsOf }) {
  const named = /* @__PURE__ */ new Map();
  for await (const { items } of walkJournal(disk, layout.journal, chain)) {
    for (const { run, entry } of items.flatMap((item) => item.kind === "batch" ? item.lines : [])) {
      for (const { sha256, isKept } of entry === void 0 ? [] : blobsOf(entry)) {
        const refs = named.get(run) ?? /* @__PURE__ */ new Map();
        named.set(run, refs.set(sha256, isKept || refs.get(sha256) === true));
      }
    }
  }
  return named;
}

// src/store/json/damage.ts
async function damageError(disk, journal, run, place, readableTo) {
  const { file, line, byte } = await locate(disk, journal, place);
  return new FleetError(
    "store_damaged",
    `The history of run ${run} breaks at ${file}, line ${line}, byte ${byte}: what stands there is not what was written. Entries up to ${readableTo} can be read; restore the file from a copy, or remove the run.`,
    { details: { run, file, line, byte, readableTo } }
  );
}
async function locate(disk, journal, { segment, byte }) {
  const file = segmentPath(journal, segment);
  const before = await readJournal(disk, file, 0, byte);
  let line = 1;
  for (let feed = before.indexOf(10); feed >= 0; feed = before.indexOf(10, feed + 1)) line += 1;
  return { file, line, byte };
}

// src/store/json/entry-scan.ts
var firstChunkBytes = 16 * 1024;
var chunkBytes = 256 * 1024;
var likelyLineBytes = 512;
var nothing = Buffer.alloc(0);
async function scanLines(range, head, { from, to, goOn }) {
  const prefix = linePrefix(head.run);
  const lines = [];
  let next = goOn?.seq === from ? goOn : void 0;
  let mark = next ?? markBefore(head.marks, from);
  let before = next?.before;
  let expected = mark?.seq ?? 1;
  let suspect;
  const broken = (place) => damageError(range.disk, range.journal, head.run, place, expected - 1);
  async function look({ segment, base, bytes }) {
    if (bytes.length === 0) suspect ??= { segment, byte: base };
    for (let start = 0, stop = bytes.indexOf(10); stop >= 0; start = stop + 1, stop = bytes.indexOf(10, start)) {
      if (bytes.compare(prefix, 0, prefix.length, start, Math.min(start + prefix.length, stop)) !== 0) continue;
      const place = { segment, byte: base + start };
      if (isCutOff(head, expected - 1, place)) continue;
      const line = decodeLine(bytes.subarray(start, stop), before);
      if (line?.kind !== "entry") {
        suspect ??= place;
        continue;
      }
      const fits = line.seq === expected && (before === void 0 || line.prev === before.hash);
      if (!fits || line.entry === void 0) throw await broken(suspect ?? place);
      suspect = void 0;
      if (line.seq >= from) lines.push({ entry: line.entry, hash: line.hash });
      if (line.seq === to) {
        const { entry: _, ...rest } = line;
        next = { segment, byte: base + stop + 1, seq: to + 1, before: rest };
        return true;
      }
      expected += 1;
      before = line;
    }
    return false;
  }
  for (; ; ) {
    let ahead;
    for await (const chunk of chunksFrom(range, mark, to - from)) {
      if (await look(chunk)) return { lines, next };
      const found = markAhead(head, expected, chunk);
      if (found === void 0 || found === mark) continue;
      ahead = found;
      break;
    }
    if (ahead === void 0) throw await broken(suspect ?? range.until);
    mark = ahead;
  }
}
function markAhead({ marks }, seq, { segment, base, bytes }) {
  const mark = markBefore(marks, seq);
  if (mark?.seq !== seq) return void 0;
  const isBehind2 = mark.segment > segment || mark.segment === segment && mark.byte > base + bytes.length;
  return isBehind2 ? mark : void 0;
}
function isCutOff({ cuts }, seq, { segment, byte }) {
  if (cuts === void 0) return false;
  return cuts.some((cut) => cut.seq === seq && (segment < cut.segment || segment === cut.segment && byte < cut.byte));
}
async function* chunksFrom({ disk, journal, links, until }, mark, entries) {
  const first = mark === void 0 ? 0 : links.findIndex(({ segment }) => segment === mark.segment);
  for (const { segment, end } of links.slice(Math.max(first, 0))) {
    const path = segmentPath(journal, segment);
    const stop = segment === until.segment ? until.byte : end ?? until.byte;
    let base = segment === mark?.segment ? mark.byte : 0;
    let size = Math.min(Math.max(firstChunkBytes, entries * likelyLineBytes), chunkBytes);
    while (base < stop) {
      const bytes = await readJournal(disk, path, base, Math.min(base + size, stop));
      const whole = bytes.lastIndexOf(10) + 1;
      if (bytes.length === 0 || whole === 0 && bytes.length < size) {
        yield { segment, base, bytes: nothing };
        break;
      }
      size = whole === 0 ? size * 4 : Math.min(size * 4, chunkBytes);
      if (whole > 0) yield { segment, base, bytes: bytes.subarray(0, whole) };
      base += whole;
    }
    if (segment === until.segment) return;
  }
}

// src/store/json/place-reading.ts
async function readPlaces(disk, bytes, { base, settled }, found) {
  const parser = new SegmentParser(base, decodePlace);
  for (const piece of pieces(bytes)) {
    parser.feed(piece);
    await found(parser.take());
    await disk.turn();
  }
  parser.finish(settled);
  await found(parser.take());
}

// src/store/json/segment-loss.ts
async function lossWarnings(disk, journal, links) {
  const warnings = [];
  for (const { segment, end } of links) {
    if (end === void 0 || end === Number.MAX_SAFE_INTEGER) continue;
    const path = segmentPath(journal, segment);
    const size = (await disk.facts(path))?.size;
    if (size === void 0) warnings.push(`${path} is missing. It held ${end} bytes of the history: restore it from a copy.`);
    else if (size < end) warnings.push(`${path} ends at byte ${size}, where ${end} were written: restore it from a copy.`);
  }
  return warnings;
}
function lossBehind(journal, ends, indexed) {
  if (indexed === void 0) return [];
  const found = ends.find(({ segment }) => segment === indexed.segment);
  const isLost = found === void 0 ? indexed.segment > (ends.at(-1)?.segment ?? "") : found.end < indexed.byte;
  const path = segmentPath(journal, indexed.segment);
  if (!isLost) return [];
  const rest = found === void 0 ? "which is missing" : `which can be read up to byte ${found.end}`;
  return [`The index knows of ${indexed.byte} bytes of ${path}, ${rest}: restore it from a copy.`];
}

// src/store/json/journal-reader.ts
var goneTries = 3;
var JournalReader = class {
  heads = new RunHeads();
  #disk;
  #journal;
  #host;
  #index;
  #tops = /* @__PURE__ */ new Map();
  #links = [];
  #position;
  #synced;
  #restored = false;
  #isOwned = false;
  #queue = Promise.resolve();
  #loading = Promise.resolve();
  /** Where whoever reads on in a run begins: a long history is read page by page. */
  #goOn = /* @__PURE__ */ new WeakMap();
  constructor(disk, journal, host, index) {
    this.#disk = disk;
    this.#journal = journal;
    this.#host = host;
    this.#index = index;
  }
  get position() {
    return this.#position;
  }
  /** Reads what was appended since. An incomplete tail is left for the next time. The owner has nothing to look for. */
  refresh() {
    return this.#inTurn(async () => {
      for (let left = goneTries; left > 0 && !this.#isOwned; left -= 1) {
        const chain = await this.#resolve();
        const taker = chain.newest?.header?.owner;
        const isBeingTaken = chain.pending && (taker === void 0 || this.#host.isAlive(taker) !== false);
        if (await this.#advance(chain, isBeingTaken ? "settled" : "checked")) return;
        if (left > 1) this.#forget();
      }
    });
  }
  /** Reads everything that older owners left, up to the last whole batch. For the owner of a new epoch, which fences them out. */
  measure() {
    return this.#inTurn(async () => {
      const { links, warnings, dropped } = await this.#resolve();
      const losses = await lossWarnings(this.#disk, this.#journal, links);
      await this.#advance({ links }, "all");
      const ends = [];
      for (const { segment, end } of links) ends.push({ segment, end: await this.#endOf(segment, end) });
      const last = ends.at(-1);
      const open2 = links.at(-1)?.end === void 0;
      const bytes = last && open2 ? await readJournal(this.#disk, segmentPath(this.#journal, last.segment), last.end) : Buffer.alloc(0);
      return {
        ends,
        warnings: [...warnings, ...losses],
        ...dropped && { dropped },
        ...this.#synced && { synced: this.#synced },
        ...last && bytes.length > 0 && { tail: { segment: last.segment, byte: last.end, bytes } }
      };
    });
  }
  /** Becomes the owner's: from here on, what is new comes from its writer. */
  own(previous, place, dropped) {
    return this.#inTurn(() => {
      this.#isOwned = true;
      this.follow(previous, place, dropped);
    });
  }
  /** Becomes a reader again. */
  disown() {
    this.#isOwned = false;
  }
  /** The segments that nothing is appended to any more. */
  get ends() {
    return this.#links.flatMap(({ segment, end }) => end === void 0 ? [] : [{ segment, end }]);
  }
  /** Goes on in a segment of one's own, behind `previous`, which is all that is left when some were dropped. */
  follow(previous, own, dropped) {
    if (dropped !== void 0) {
      this.#links = [];
      this.heads.foldDrop(dropped, own.segment, true);
    }
    const ended = new Set(previous.map(({ segment }) => segment));
    this.#links = [...this.#links.filter(({ segment }) => !ended.has(segment)), ...previous, { segment: own.segment }];
    this.#position = own;
    this.#synced = own;
  }
  /** Takes in lines that one wrote and synced oneself; their offsets count from `base`. */
  wrote(lines, base, end) {
    for (const line of lines) this.heads.foldLine(line, end.segment, base);
    this.#position = end;
    this.#synced = end;
  }
  /** Loads heads that the index keeps apart, those of the newest runs first, until there is `enough` or no more. */
  load(enough) {
    const loaded = this.#loading.then(async () => {
      for (let ref = this.heads.shards.nextApart; ref !== void 0 && !enough(); ref = this.heads.shards.nextApart) {
        const { heads } = this;
        const found = await this.#index.shard(ref);
        if (found === void 0) heads.adopt(await this.#readAgain());
        else heads.load(ref, found);
        await this.#disk.turn();
      }
    });
    this.#loading = loaded.catch(() => void 0);
    return loaded;
  }
  /** Entries of a run; rejects `store_damaged` when the range reaches a gap. */
  async read(run, from, limit) {
    const head = this.heads.get(run);
    if (head === void 0 || head.removed === true || limit < 1) return [];
    const first = Math.max(1, from);
    if (head.base !== void 0 && first <= head.base.seq) throw goneError(head.run, head.base.seq);
    if (head.damage !== void 0 && first + limit - 1 > head.seq)
      throw await damageError(this.#disk, this.#journal, run, head.damage, head.seq);
    return (await this.#lines(head, first, Math.min(head.seq, first + limit - 1))).map(({ entry }) => entry);
  }
  /** The hash of a run's line; undefined when it has none there, or none that can be read. */
  async hashAt(run, seq) {
    const head = this.heads.get(run);
    if (head === void 0 || seq < 1 || seq > head.seq) return void 0;
    if (seq === head.seq) return head.hash;
    const [line] = await this.#lines(head, seq, seq).catch(() => []);
    return line?.hash;
  }
  async #lines(head, from, to) {
    if (from > to || this.#position === void 0) return [];
    const range = { disk: this.#disk, journal: this.#journal, links: this.#links, until: this.#position };
    const left = this.#goOn.get(head);
    const isThere = left !== void 0 && range.links.some(({ segment }) => segment === left.segment);
    const { lines, next } = await scanLines(range, head, { from, to, goOn: isThere ? left : void 0 });
    if (next === void 0) return lines;
    if (to === head.seq && hasEnded(head.row)) this.#goOn.delete(head);
    else this.#goOn.set(head, next);
    return lines;
  }
  async #resolve() {
    const chain = await resolveChain(this.#disk, this.#journal, this.#tops);
    const at = this.#position;
    const link2 = chain.links.find(({ segment }) => segment === at?.segment);
    const fits = at === void 0 || link2 !== void 0 && at.byte <= (link2.end ?? Number.MAX_SAFE_INTEGER);
    if (!fits) this.#forget();
    if (!this.#restored) this.#start(await this.#index.load(chain) ?? nothingRead());
    this.#restored = true;
    const base = chain.dropped?.base;
    if (base === void 0) return chain;
    if (this.heads.seq(base.run) < base.seq) this.#start(nothingRead());
    if (this.#position === void 0) this.heads.begin(base);
    return chain;
  }
  #forget() {
    this.#start(nothingRead());
    this.#restored = false;
  }
  #start(state) {
    this.heads = state.heads;
    this.#position = state.position;
    this.#synced = state.position;
  }
  /**
   * `checked`: the growing end counts only if no newer epoch began before it was read, since that one's owner may fence the bytes out.
   * `settled`: it does not count, since somebody is about to record where it ends. `all`: it counts. False when a file was not there.
   */
  async #advance({ links, newest }, reach) {
    this.#links = [...links];
    let hasAll = true;
    const at = this.#position;
    const start = at === void 0 ? 0 : links.findIndex(({ segment }) => segment === at.segment);
    for (const { segment, end } of links.slice(Math.max(start, 0))) {
      if (end === void 0 && reach === "settled") return true;
      const from = this.#position?.segment === segment ? this.#position.byte : 0;
      const bytes = await readJournal(this.#disk, segmentPath(this.#journal, segment), from, end);
      if (bytes.length === 0 && from === 0 && missingSegments(this.#disk, this.#journal, links).length > 0) hasAll = false;
      if (end === void 0 && reach === "checked" && this.#isFenced(newest?.epoch ?? 0)) return hasAll;
      await readPlaces(this.#disk, bytes, { base: from, settled: end !== void 0 }, async (stretch) => {
        await this.load(() => !isLacking(this.heads, stretch.items));
        this.heads.fold(stretch.items, segment);
        this.#position = { segment, byte: stretch.end };
        if (this.#synced?.segment !== segment || stretch.synced > from) this.#synced = { segment, byte: stretch.synced };
      });
    }
    return hasAll;
  }
  /** The heads up to the position, from the journal alone; not that of the reserved stream, which is never put away. */
  async #readAgain() {
    const heads = new RunHeads();
    const until = this.#position;
    for (const { segment, end } of [...this.#links]) {
      if (until === void 0) break;
      const isLast = segment === until.segment;
      const bytes = await readJournal(this.#disk, segmentPath(this.#journal, segment), 0, isLast ? until.byte : end);
      await readPlaces(this.#disk, bytes, { base: 0, settled: true }, ({ items }) => heads.fold(items, segment));
      if (isLast) break;
    }
    return heads;
  }
  #isFenced(epoch) {
    return this.#disk.exists(segmentPath(this.#journal, segmentName(epoch + 1, 1)));
  }
  async #endOf(segment, end) {
    if (this.#position?.segment === segment) return this.#position.byte;
    if (end !== void 0 && end < Number.MAX_SAFE_INTEGER) return end;
    return (await this.#disk.facts(segmentPath(this.#journal, segment)))?.size ?? 0;
  }
  #inTurn(work) {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => void 0);
    return done;
  }
};
function nothingRead() {
  return { heads: new RunHeads(), position: void 0 };
}
function goneError(run, seq) {
  return new FleetError(
    "cursor_unavailable",
    `The entries of ${run} up to ${seq} went with segments of the journal that nothing needs any more. Read from ${seq + 1} on.`,
    { details: { run, readableFrom: seq + 1 } }
  );
}
function isLacking(heads, items) {
  if (!heads.shards.areApart) return false;
  const begun = /* @__PURE__ */ new Set();
  const lacks = (run) => !begun.has(run) && heads.lacks(run);
  return items.some((item) => {
    if (item.kind === "bad") return true;
    if (item.kind === "control") return item.line.kind === "previous" && item.line.dropped?.removed.some(lacks) === true;
    const [first] = item.lines;
    if (first?.seq === 1) begun.add(first.run);
    return first !== void 0 && lacks(first.run);
  });
}

// src/store/json/owner.ts
var closingBytes = 128;
async function readOwner(disk, journal, chain, host) {
  const { newest } = chain;
  if (newest === void 0 || await isClosed(disk, segmentPath(journal, newest.segment))) return void 0;
  const owner = newest.header?.owner;
  if (owner === void 0)
    return { instance: "unknown", epoch: newest.epoch, host: "unknown", pid: 0, since: 0, alive: void 0 };
  return {
    instance: owner.instance,
    epoch: newest.epoch,
    host: owner.host,
    pid: owner.pid,
    since: owner.since,
    alive: host.isAlive(owner)
  };
}
function ownedError(folder, owner) {
  const who = `process ${owner.pid} on ${owner.host} (${owner.instance}, since ${new Date(owner.since).toISOString()})`;
  const advice = owner.alive === void 0 ? "Whether it still runs cannot be told from here: make sure that it does not, then take the store over." : "Stop it, wait for it, or send it a command.";
  return new FleetError("store_owned", `The store in ${folder} is owned by ${who}. ${advice}`, { details: { owner } });
}
async function isClosed(disk, path) {
  const size = (await disk.facts(path))?.size ?? 0;
  const tail = await readJournal(disk, path, Math.max(0, size - closingBytes), size);
  if (tail.at(-1) !== 10) return false;
  const line = tail.subarray(tail.lastIndexOf(10, -2) + 1, -1);
  return decodeLine(line)?.kind === "closed";
}

// src/store/json/doctor/examined-store.ts
var noIndex = { load: async () => void 0, shard: async () => void 0 };
async function examine(parts) {
  const { disk, layout, host } = parts;
  const chain = await resolveChain(disk, layout.journal);
  const owner = await readOwner(disk, layout.journal, chain, host);
  const reader = new JournalReader(disk, layout.journal, host, noIndex);
  await reader.refresh();
  return {
    ...parts,
    chain,
    owner,
    reader,
    get heads() {
      return reader.heads;
    }
  };
}

// src/store/json/doctor/inbox-check.ts
import { join as join6 } from "node:path";

// src/store/json/inbox.ts
import { join as join5 } from "node:path";

// src/store/json/folder-watch.ts
import { watch } from "node:fs";
async function* folderChanges(folder, { clock, everyMs, keepAlive, signal }) {
  const bell = new Bell();
  let hasChanged = false;
  const onChange = () => {
    hasChanged = true;
    bell.ring();
  };
  let watcher = startWatch(folder, keepAlive, onChange);
  try {
    while (!signal.aborted) {
      hasChanged = false;
      yield;
      if (!hasChanged) await firstOf(bell, clock, everyMs, keepAlive, signal);
      watcher ??= startWatch(folder, keepAlive, onChange);
    }
  } finally {
    watcher?.close();
  }
}
async function firstOf(bell, clock, ms, keepAlive, signal) {
  const done = new AbortController();
  const stop = () => done.abort();
  signal?.addEventListener("abort", stop);
  if (signal?.aborted !== true) await Promise.race([bell.wait(done.signal), clock.sleep(ms, { signal: done.signal, keepAlive })]);
  signal?.removeEventListener("abort", stop);
  done.abort();
}
function startWatch(folder, keepAlive, onChange) {
  try {
    const watcher = watch(folder, { persistent: keepAlive }, onChange);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return void 0;
  }
}

// src/store/json/inbox.ts
var answerLookMs = 100;
var commandLookMs = 1e3;
var answerKeptMs = 864e5;
var answerEnd = ".answer.json";
async function postCommand({ disk, folder, clock, unique }, command, { waitMs, signal }) {
  var _stack = [];
  try {
    signal?.throwIfAborted();
    const [commandPath, answerPath] = [commandFile(folder, command.id), answerFile(folder, command.id)];
    await disk.makeFolder(folder);
    if (!disk.exists(answerPath)) await replaceFile(disk, commandPath, Buffer.from(JSON.stringify(command)), unique());
    const until = clock.monotonic() + waitMs;
    const stop = new AbortController();
    const both = __using(_stack, joinSignals([signal, stop.signal]));
    for await (const _2 of folderChanges(folder, {
      clock,
      everyMs: Math.min(answerLookMs, Math.max(waitMs, 1)),
      keepAlive: true,
      signal: both.signal
    })) {
      if (disk.exists(answerPath)) {
        const answer = parse(await disk.read(answerPath), (value) => typeof value["ok"] === "boolean");
        await discard(disk, folder, command.id);
        return answer;
      }
      if (clock.monotonic() >= until) stop.abort();
    }
    signal?.throwIfAborted();
    return void 0;
  } catch (_) {
    var _error = _, _hasError = true;
  } finally {
    __callDispose(_stack, _error, _hasError);
  }
}
async function* takeCommands(parts, taken, signal, look) {
  const { folder, clock } = parts;
  for await (const _ of folderChanges(folder, { clock, everyMs: commandLookMs, keepAlive: false, signal })) {
    for (const name of await commandsNow(parts, taken, look)) {
      if (signal.aborted) return;
      taken.add(name);
      const item = await readItem(parts, name, taken).catch(() => void taken.delete(name));
      if (item !== void 0) yield item;
    }
  }
}
async function sweepAnswers({ disk, folder, clock }) {
  for (const name of await disk.list(folder)) {
    const facts = name.endsWith(answerEnd) ? await disk.facts(join5(folder, name)) : void 0;
    if (facts !== void 0 && facts.modifiedAt < clock.now() - answerKeptMs)
      await discard(disk, folder, name.slice(0, -answerEnd.length));
  }
}
async function discard(disk, folder, id) {
  await disk.remove(commandFile(folder, id));
  await disk.syncFolder(folder);
  await disk.remove(answerFile(folder, id));
}
async function commandsNow(parts, taken, look) {
  try {
    look();
    return await newCommands(parts, taken);
  } catch {
    return [];
  }
}
function readCommand(bytes, name) {
  const id = name.slice(0, -".json".length);
  return parse(bytes, (value) => value["id"] === id && isCommand(value["command"]));
}
async function newCommands({ disk, folder }, taken) {
  const names = (await disk.list(folder)).filter(
    (name) => name.endsWith(".json") && !name.endsWith(answerEnd) && !taken.has(name)
  );
  const placed = await Promise.all(
    names.map(async (name) => ({ name, at: (await disk.facts(join5(folder, name)))?.modifiedAt ?? 0 }))
  );
  return placed.toSorted((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1)).map(({ name }) => name);
}
async function readItem({ disk, folder, unique }, name, taken) {
  const path = join5(folder, name);
  const id = name.slice(0, -".json".length);
  const forget = async () => {
    await disk.remove(path);
    taken.delete(name);
  };
  if (disk.exists(answerFile(folder, id))) {
    await forget();
    return void 0;
  }
  const command = readCommand(await disk.read(path), name);
  if (command === void 0) {
    await disk.rename(path, `${path}.refused`).catch(() => void 0);
    taken.delete(name);
    return void 0;
  }
  return {
    command,
    answer: async (answer) => {
      await replaceFile(disk, answerFile(folder, id), Buffer.from(JSON.stringify(answer)), unique());
      await forget();
    }
  };
}
function isCommand(value) {
  if (typeof value !== "object" || value === null) return false;
  const { kind, run_id: run } = value;
  return typeof kind === "string" && typeof run === "string";
}
function parse(bytes, fits) {
  try {
    const value = JSON.parse(bytes.toString());
    return value !== null && fits(value) ? value : void 0;
  } catch {
    return void 0;
  }
}
function commandFile(folder, id) {
  return join5(folder, `${safeName(id)}.json`);
}
function answerFile(folder, id) {
  return join5(folder, `${safeName(id)}${answerEnd}`);
}

// src/store/json/doctor/inbox-check.ts
async function checkInbox({ disk, layout }, clock) {
  const findings = [];
  const add = (weight, message, name) => void findings.push({ part: "inbox", weight, message, file: join6(layout.inbox, name) });
  for (const name of await disk.list(layout.inbox)) {
    const path = join6(layout.inbox, name);
    if (name.endsWith(".answer.json")) {
      const facts = await disk.facts(path);
      if (facts !== void 0 && facts.modifiedAt < clock.now() - answerKeptMs) add("note", "An answer was never fetched.", name);
    } else if (name.endsWith(".json")) {
      if (readCommand(await disk.read(path), name) === void 0) add("wrong", "A posted command cannot be read.", name);
    } else if (name.endsWith(".refused")) add("note", "A posted command could not be read, and was put aside.", name);
  }
  return findings;
}

// src/store/json/doctor/index-check.ts
import { isDeepStrictEqual } from "node:util";
async function checkIndex(store, index) {
  const { disk, layout, chain, host } = store;
  const finding = (weight, message) => ({
    part: "index",
    weight,
    message,
    file: layout.index
  });
  if (chain.links.length === 0) return [];
  if (!disk.exists(layout.index)) return [finding("note", "There is no index; it is made again when the store is opened.")];
  if (await new DocumentAdapter(disk, layout.index, "index", () => "").read() === null)
    return [finding("wrong", "The index does not read as it was written.")];
  const loaded = await index.load(chain);
  if (loaded === void 0)
    return [finding("wrong", "The index is not one of this journal, or is older than what is left of it.")];
  for (const ref of loaded.heads.shards.refs)
    if (await index.shard(ref) === void 0)
      return [finding("wrong", `The shard ${ref.file} of the index does not read as it was written.`)];
  const reader = new JournalReader(disk, layout.journal, host, index);
  await reader.refresh();
  await reader.load(() => false);
  const runs = new Set([...reader.heads.all(), ...store.heads.all()].map(({ run }) => run));
  const different = [...runs].filter((run) => {
    const [one, other] = [reader.heads.get(run), store.heads.get(run)];
    const mayDiffer = store.owner !== void 0 && store.owner.alive !== false && one?.seq !== other?.seq;
    return !mayDiffer && !isDeepStrictEqual(said(one), said(other));
  });
  return different.map((run) => ({ ...finding("wrong", `The index does not say of run ${run} what the journal says.`), run }));
}
function said(head) {
  if (head === void 0 || head.removed === true) return head?.removed;
  return { seq: head.seq, hash: head.hash, row: head.row, isBroken: head.damage !== void 0 };
}

// src/store/json/doctor/journal-check.ts
import { join as join7 } from "node:path";
async function checkJournal(store) {
  const { chain } = store;
  const warnings = chain.warnings.map((message) => ({ part: "journal", weight: "wrong", message }));
  return [...warnings, ...missing(store), ...await damaged(store), ...await torn(store), ...await beside(store)];
}
function missing({ disk, layout, chain }) {
  return missingSegments(disk, layout.journal, chain.links).map((segment) => ({
    part: "journal",
    weight: "lost",
    message: "A segment is missing, with all that stood in it.",
    file: segmentPath(layout.journal, segment)
  }));
}
async function damaged({ disk, layout, heads }) {
  const findings = [];
  for (const { place, run } of heads.damages) {
    const at = await locate(disk, layout.journal, place);
    if (run === void 0) {
      findings.push({ part: "journal", weight: "lost", message: "A line is damaged; whose entry it was cannot be told.", ...at });
      continue;
    }
    const message = `The history of run ${run} breaks after entry ${heads.seq(run)}: what stands there is not what was written.`;
    findings.push({ part: "journal", weight: "lost", message, run, ...at });
  }
  return findings;
}
async function torn({ disk, layout, owner, reader }) {
  const at = reader.position;
  if (at === void 0 || owner !== void 0 && owner.alive !== false) return [];
  const { length } = await readJournal(disk, segmentPath(layout.journal, at.segment), at.byte);
  if (length === 0) return [];
  const message = `${length} bytes at the end were never acknowledged; they are cut off, and kept aside, when the store is opened.`;
  return [{ part: "journal", weight: "wrong", message, ...await locate(disk, layout.journal, at) }];
}
async function beside({ disk, layout, chain }) {
  const { journal } = layout;
  const counted = new Set(chain.links.map(({ segment }) => segment));
  const strange = (await listSegments(disk, journal)).filter(
    (segment) => !counted.has(segment) && epochOf(segment) < (chain.newest?.epoch ?? 0) && !segment.endsWith(".0001")
  );
  const aside = (await disk.list(journal)).filter((name) => name.includes(".torn-"));
  const note = (message, file) => ({ part: "journal", weight: "note", message, file });
  return [
    ...strange.map((segment) => note("A segment is no part of the history any more.", segmentPath(journal, segment))),
    ...aside.map((name) => note("A torn tail was cut from its segment and kept here.", join7(journal, name)))
  ];
}

// src/store/json/doctor/leavings-check.ts
import { join as join8 } from "node:path";
async function temporaryFiles({ disk, layout }) {
  const runs = (await disk.list(layout.runs)).map((run) => join8(layout.runs, run));
  const folders = [
    layout.root,
    layout.journal,
    layout.shards,
    layout.inbox,
    ...runs.flatMap((run) => [run, join8(run, "snapshot"), join8(run, "blobs")])
  ];
  const found = [];
  for (const folder of folders)
    found.push(...(await disk.list(folder)).filter((name) => name.endsWith(".tmp")).map((name) => join8(folder, name)));
  return found;
}
async function checkLeavings(store) {
  const { disk, layout, heads, owner } = store;
  const note = (message, file) => ({ part: "leavings", weight: "note", message, file });
  const temporary = owner !== void 0 && owner.alive !== false ? [] : await temporaryFiles(store);
  const folders = await disk.list(layout.runs);
  const removed = folders.filter((run) => heads.removed(run));
  const unknown = folders.filter((run) => heads.get(run) === void 0);
  return [
    ...temporary.map((file) => note("A temporary file was left.", file)),
    ...removed.map((run) => note(`The folder of run ${run} is there, although the run was removed.`, join8(layout.runs, run))),
    ...unknown.map((run) => note(`A folder belongs to no run of the journal.`, join8(layout.runs, run)))
  ];
}

// src/store/json/doctor/snapshot-check.ts
import { join as join9 } from "node:path";
async function checkSnapshots({ disk, layout, heads }, snapshots) {
  const findings = [];
  for (const run of await disk.list(layout.runs)) {
    const file = join9(layout.run(run), "snapshot.json");
    if (heads.seq(run) === 0 || heads.removed(run) || !disk.exists(file)) continue;
    if (await snapshots.load(run) === void 0)
      findings.push({
        part: "snapshots",
        weight: "wrong",
        message: `The snapshot of ${run} is not whole, or not of this journal.`,
        run,
        file
      });
  }
  return findings;
}

// src/store/json/doctor/inspect-store.ts
var checks = [
  checkJournal,
  (store, parts) => checkIndex(store, new IndexDocument({ ...parts, delayMs: 0, isBusy: () => false })),
  (store, parts) => checkSnapshots(store, new Snapshots({ ...parts, reader: store.reader })),
  checkBlobs,
  (store, { clock }) => checkInbox(store, clock),
  checkLeavings
];
async function inspectFolder(parts) {
  const { disk, layout } = parts;
  const store = await examine(parts);
  if (store.chain.newest === void 0)
    throw new FleetError("unreadable_file", `There is no store in ${layout.root}. Name its folder.`, {
      details: { file: layout.root }
    });
  const findings = [];
  for (const check of checks) {
    await store.reader.refresh();
    findings.push(...await check(store, parts));
  }
  const sizes = await Promise.all(
    store.chain.links.map(async ({ segment }) => (await disk.facts(segmentPath(layout.journal, segment)))?.size ?? 0)
  );
  return {
    store: store.chain.store,
    format: store.chain.newest.header?.format,
    owner: store.owner,
    segments: sizes.length,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    runs: countRuns(store),
    findings
  };
}
function countRuns({ heads }) {
  const all = [...heads.all()];
  const there = all.filter(({ row, removed }) => row !== void 0 && removed !== true);
  const ended = there.filter(({ row }) => hasEnded(row)).length;
  return { open: there.length - ended, ended, removed: all.filter(({ removed }) => removed === true).length };
}

// src/store/json/doctor/repair-store.ts
import { dirname as dirname3, join as join13 } from "node:path";

// src/store/json/journal-opening.ts
import { join as join10 } from "node:path";

// src/store/json/segment-writer.ts
async function createSegment({ disk, journal, roomBytes }, header, previous, adopted, unique, dropped) {
  const segment = segmentName(header.epoch, header.segment);
  const path = segmentPath(journal, segment);
  const top = Buffer.from(
    encodeHeader(header) + encodePrevious(previous, { adopted: adopted.length, ...dropped && { dropped } })
  );
  const created = await createFile(disk, path, Buffer.concat([top, adopted]), unique);
  if (!created) throw new Error(`${path} exists already`);
  const end = top.length + adopted.length;
  const file = new SegmentFile(await disk.open(path, { create: false }), end, roomBytes);
  return { file, segment, end, adoptedAt: top.length };
}
function placeOf({ segment, end }) {
  return { segment, byte: end };
}

// src/store/json/journal-opening.ts
var lookMs = 100;
async function openJournal(parts, options) {
  const { disk, journal, clock } = parts;
  const until = clock.monotonic() + (options.waitMs ?? 0);
  for (; ; ) {
    const chain = await resolveChain(disk, journal);
    const owner = await readOwner(disk, journal, chain, parts.host);
    if (owner === void 0 || mayReplace(owner, options) || parts.former.has(recordOf(owner))) {
      const opened = await become(parts, newHeader(parts, options.instance, chain));
      if (opened !== void 0) return opened;
      continue;
    }
    options.signal?.throwIfAborted();
    const left = until - clock.monotonic();
    if (left <= 0) throw ownedError(parts.folder, owner);
    await clock.sleep(Math.min(lookMs, left), options.signal && { signal: options.signal });
    options.signal?.throwIfAborted();
  }
}
function mayReplace(owner, { takeOver = false }) {
  return owner.alive === false || owner.alive === void 0 && takeOver;
}
function newHeader({ clock, host, newStoreId }, instance2, { newest, store }) {
  const owner = { ...host.self(), instance: instance2, since: clock.now() };
  return { format: storeFormat, store: store ?? newStoreId(), epoch: (newest?.epoch ?? 0) + 1, segment: 1, owner };
}
async function become(parts, header) {
  const { disk, journal, former, unique } = parts;
  await disk.makeFolder(journal);
  former.add(recordOf({ ...header.owner, epoch: header.epoch }));
  try {
    const path = segmentPath(journal, segmentName(header.epoch, 1));
    const isTaken = await createFile(disk, path, Buffer.from(encodeHeader(header)), unique());
    return isTaken ? await recordEnds(parts, header) : void 0;
  } catch (error) {
    await giveBack(parts, header).catch(() => void 0);
    throw error;
  }
}
async function giveBack({ disk, journal }, header) {
  const path = segmentPath(journal, segmentName(header.epoch, 1));
  const claim = Buffer.from(encodeHeader(header));
  const isOwn = claim.equals(await disk.read(path, 0, claim.length));
  if (isOwn && !disk.exists(segmentPath(journal, segmentName(header.epoch + 1, 1)))) await disk.remove(path);
}
function recordOf({ epoch, host, pid, since, instance: instance2 }) {
  return JSON.stringify([epoch, host, pid, since, instance2]);
}
async function recordEnds(parts, header) {
  const { disk, journal, reader, retention } = parts;
  const segment = segmentName(header.epoch, 1);
  const measured = await reader.measure();
  const lost = lossBehind(journal, measured.ends, parts.indexed());
  const warnings = [...measured.warnings, ...lost, ...await damageWarnings(parts)];
  const lastEnd = measured.ends.at(-1);
  if (lastEnd !== void 0) await secureEnd(parts, lastEnd, measured.synced);
  if (measured.tail !== void 0) warnings.push(await cutTail(parts, measured.tail));
  else if (lastEnd !== void 0) await cutRoom(disk, segmentPath(journal, lastEnd.segment), lastEnd.end);
  const top = Buffer.byteLength(encodeHeader(header));
  const file = new SegmentFile(await disk.open(segmentPath(journal, segment), { create: false }), top, parts.roomBytes);
  try {
    await retention.sweep(measured.dropped?.segments ?? [], header.epoch);
    const dropped = await retention.plan(measured.ends, 0);
    const gone = new Set(dropped?.segments);
    const previous = measured.ends.filter((end) => !gone.has(end.segment));
    const line = Buffer.from(encodePrevious(previous, dropped && { dropped }));
    file.append(line);
    await file.sync();
    if ((await listSegments(disk, journal)).some((name) => epochOf(name) > header.epoch))
      throw new FleetError(
        "store_conflict",
        `Another process took the store in ${parts.folder} over at the same time. Open it again.`
      );
    const opened = { file, segment, end: top + line.length };
    await removeTemporary(disk, journal, header.epoch);
    await reader.own(previous, placeOf(opened), dropped);
    await retention.sweep([...gone], header.epoch);
    return { header, opened, warnings };
  } catch (error) {
    await file.close().catch(() => void 0);
    throw error;
  }
}
async function secureEnd({ disk, journal }, { segment, end }, synced) {
  const path = segmentPath(journal, segment);
  const from = synced?.segment === segment ? synced.byte : 0;
  if (from < end) await disk.rewrite(path, from, await readJournal(disk, path, from, end));
}
async function cutTail({ disk, journal, unique }, tail) {
  const path = segmentPath(journal, tail.segment);
  const aside = `${path}.torn-${tail.byte}`;
  if (!disk.exists(aside)) await createFile(disk, aside, tail.bytes, unique());
  const file = await disk.open(path, { create: false });
  try {
    await file.truncate(tail.byte);
  } finally {
    await file.close();
  }
  return `A torn tail of ${tail.bytes.length} bytes was cut from ${path} at byte ${tail.byte} and kept in ${aside}: nothing shows that it was ever acknowledged.`;
}
async function cutRoom(disk, path, end) {
  if (((await disk.facts(path))?.size ?? 0) <= end) return;
  const file = await disk.open(path, { create: false });
  try {
    await file.truncate(end);
  } finally {
    await file.close();
  }
}
async function damageWarnings({ disk, journal, reader }) {
  const warnings = [];
  for (const { place, run } of reader.heads.damages) {
    const { file, line, byte } = await locate(disk, journal, place);
    const whose = run === void 0 ? "whose entry it was cannot be told" : `run ${run} stops there, the others go on`;
    warnings.push(`${file} is damaged at line ${line}, byte ${byte}: ${whose}.`);
  }
  return warnings;
}
async function removeTemporary(disk, journal, epoch) {
  const own = segmentName(epoch, 9999);
  for (const name of await disk.list(journal)) if (name.endsWith(".tmp") && name < own) await disk.remove(join10(journal, name));
}

// src/store/json/line-buffer.ts
import { hash as hash3 } from "node:crypto";
import { crc32 as crc324 } from "node:zlib";
var LineBuffer = class {
  #buffer = Buffer.allocUnsafe(64 * 1024);
  #length = 0;
  clear() {
    this.#length = 0;
  }
  /** Adds a line of two parts, sealed with its checksum; gives its offset and its hash. */
  add(top, body) {
    const byte = this.#length;
    this.#reserve((top.length + body.length) * mostBytesPerUnit + suffixBytes);
    this.#write(top);
    this.#write(body);
    this.#write(`${crcSuffix(crc324(this.#buffer.subarray(byte, this.#length)))}
`);
    return { byte, hash: hash3("sha256", this.#buffer.subarray(byte, this.#length - 1)) };
  }
  /** Everything that was added since it was cleared. */
  get bytes() {
    return this.#buffer.subarray(0, this.#length);
  }
  #write(text) {
    this.#length += this.#buffer.write(text, this.#length);
  }
  #reserve(more) {
    if (this.#length + more <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + more));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
};
var suffixBytes = 32;
var mostBytesPerUnit = 3;

// src/store/json/segment-retention.ts
var fewTombstones = 500;
var bytesPerTombstone = 40;
var headerBytes = 2048;
var SegmentRetention = class {
  #parts;
  /** Segments that were recorded as dropped, and whose files may be there. */
  #unswept = [];
  #givingBack = Promise.resolve();
  constructor(parts) {
    this.#parts = parts;
  }
  /** Deletes segments once `least` bytes can go. One time after the other; never rejects: what fails is done at the next opening. */
  giveBack(writer, { epoch, least, signal }) {
    this.#givingBack = this.#givingBack.then(async () => {
      try {
        const record = await this.plan(this.#parts.reader.ends, least);
        if (record === void 0 || signal.aborted) return;
        await writer.drop(record);
        await this.sweep(record.segments, epoch);
      } catch {
      }
    });
    return this.#givingBack;
  }
  /** Resolves when nothing is being deleted. */
  idle() {
    return this.#givingBack;
  }
  /**
   * What to record so that segments may go, `least` bytes of them together; undefined when there is nothing to record. `ends`: the
   * segments that nothing is appended to any more.
   */
  async plan(ends, least) {
    const { reader } = this.#parts;
    const stream = reader.heads.get(reservedId);
    const unneeded = this.#unneeded(ends);
    if (unneeded.reduce((sum, { end }) => sum + end, 0) < least) return void 0;
    const snapshot = unneeded.some(({ segment }) => hasLines(stream, segment)) ? await this.#parts.streamSnapshot() : void 0;
    const segments = [];
    const removed = [];
    let [bytes, carriedSeq] = [0, 0];
    for (const { segment, end } of unneeded) {
      const last = lastSeqIn(stream, segment);
      if (last > (snapshot?.seq ?? 0)) continue;
      const tombstones = await this.#tombstonesIn({ segment, end });
      if (tombstones.length < reader.heads.segments.of(segment).tombstones) continue;
      segments.push(segment);
      removed.push(...tombstones);
      bytes += end;
      carriedSeq = Math.max(carriedSeq, last);
    }
    const base = carriedSeq === 0 ? stream?.base : await this.#baseAt(carriedSeq, snapshot);
    if (carriedSeq > 0 && base === void 0) return void 0;
    if (segments.length > 0 ? bytes < least : base === void 0 || least > 0) return void 0;
    return { segments: [...this.#unswept, ...segments], removed, ...base && { base } };
  }
  /**
   * Removes the files of segments that a record names, and what is left of older ones. Never rejects: files that cannot be removed now
   * are named by the next record too.
   */
  async sweep(segments, ownEpoch) {
    this.#unswept = [...this.#unswept, ...segments];
    try {
      await this.#sweep(new Set(this.#unswept), ownEpoch);
      this.#unswept = [];
    } catch {
    }
  }
  async #sweep(named, ownEpoch) {
    const { disk, journal, unique, reader } = this.#parts;
    const needed = /* @__PURE__ */ new Set([...reader.ends.map(({ segment }) => segment), reader.position?.segment]);
    const all = await listSegments(disk, journal);
    const left = new Set(all);
    for (const segment of all) {
      if (needed.has(segment) || epochOf(segment) > ownEpoch) continue;
      if (!named.has(segment) && (epochOf(segment) === ownEpoch || !await this.#isStub(segment))) continue;
      const isFence = isFirst(segment) && [...left].some((one) => epochOf(one) < epochOf(segment));
      if (isFence) await this.#makeStub(segment, unique());
      else {
        await disk.remove(segmentPath(journal, segment));
        left.delete(segment);
      }
    }
    if (left.size < all.length) await disk.syncFolder(journal);
  }
  /** Segments in which nothing is needed but what a record can carry on. */
  #unneeded(ends) {
    const { disk, journal, reader, givesUpMissing = false } = this.#parts;
    const damaged2 = reader.heads.damages.map(({ place }) => place.segment);
    const unneeded = ends.filter(({ segment, end }) => {
      const { runs, tombstones } = reader.heads.segments.of(segment);
      const isWorthIt = tombstones <= fewTombstones || tombstones * bytesPerTombstone * 2 <= end;
      return runs === 0 && isWorthIt && (givesUpMissing || damaged2.every((one) => segment < one));
    });
    const missing2 = new Set(missingSegments(disk, journal, unneeded));
    return unneeded.filter(({ segment }) => missing2.has(segment) === givesUpMissing);
  }
  async #tombstonesIn({ segment, end }) {
    const { disk, journal, reader } = this.#parts;
    if (reader.heads.segments.of(segment).tombstones === 0) return [];
    const bytes = await readJournal(disk, segmentPath(journal, segment), 0, end);
    const found = [];
    for (let at = bytes.indexOf('"removed":'); at >= 0; ) {
      const start = bytes.lastIndexOf(10, at) + 1;
      const stop = bytes.indexOf(10, at);
      const line = stop < 0 ? void 0 : decodeLine(bytes.subarray(start, stop));
      if (line?.kind === "entry" && line.removed !== void 0) found.push(line.run);
      if (line?.kind === "previous") found.push(...line.dropped?.removed ?? []);
      at = stop < 0 ? -1 : bytes.indexOf('"removed":', stop);
      if (found.length % 1e3 === 0) await disk.turn();
    }
    return found;
  }
  async #baseAt(seq, snapshot) {
    const hash6 = await this.#parts.reader.hashAt(reservedId, seq);
    return hash6 === void 0 || snapshot === void 0 ? void 0 : { run: reservedId, seq, hash: hash6, snapshot };
  }
  /** A segment that holds nothing but its header. */
  async #isStub(segment) {
    const { disk, journal } = this.#parts;
    const path = segmentPath(journal, segment);
    if (!isFirst(segment) || ((await disk.facts(path))?.size ?? 0) > headerBytes) return false;
    const bytes = await readJournal(disk, path, 0);
    return bytes.indexOf(10) === bytes.length - 1 && decodeLine(bytes.subarray(0, -1))?.kind === "header";
  }
  async #makeStub(segment, unique) {
    const { disk, journal } = this.#parts;
    const path = segmentPath(journal, segment);
    const bytes = await readJournal(disk, path, 0, headerBytes);
    const header = bytes.subarray(0, bytes.indexOf(10) + 1);
    if (header.length > 0 && (await disk.facts(path))?.size !== header.length) await replaceFile(disk, path, header, unique);
  }
};
function isFirst(segment) {
  return segment.endsWith(".0001");
}
function hasLines(head, segment) {
  return head?.marks.some((mark) => mark.segment === segment) === true;
}
function lastSeqIn(head, segment) {
  if (head === void 0 || !hasLines(head, segment)) return 0;
  const next = head.marks.find((mark) => mark.segment > segment);
  return next === void 0 ? head.seq : next.seq - 1;
}

// src/store/json/append-error.ts
function conflict() {
  return new FleetError("store_conflict", "Another process took this store over; this one is fenced out. Close this fleet.");
}
function notStored(cause) {
  return new FleetError("not_stored", `Nothing was stored: ${reasonOf(cause)}. Mend that, then try again.`, { cause });
}
function outcomeUnknown(cause) {
  return new FleetError("outcome_unknown", `The append may be stored or not: ${reasonOf(cause)}. Read the run to learn which.`, {
    cause
  });
}

// src/store/json/blobs.ts
import { hash as hash4 } from "node:crypto";
import { join as join11 } from "node:path";
var sha256Pattern = /^[0-9a-f]{64}$/;
function diskBlobs(disk, layout, unique) {
  const folderOf = (run) => join11(layout.run(run), "blobs");
  return {
    put: async (run, bytes) => {
      const sha256 = hash4("sha256", bytes);
      const path = join11(folderOf(run), sha256);
      const kept = await disk.facts(path);
      await disk.makeFolder(folderOf(run));
      if (kept?.size === bytes.length) await disk.syncFolder(folderOf(run));
      else await replaceFile(disk, path, bytes, unique());
      return { sha256, size: bytes.length };
    },
    open: async (run, sha256) => {
      if (!sha256Pattern.test(sha256)) return void 0;
      const path = join11(folderOf(run), sha256);
      if (!disk.exists(path)) return void 0;
      const bytes = await disk.read(path);
      if (hash4("sha256", bytes) !== sha256)
        throw new FleetError("store_damaged", `${path} does not hold the bytes that it is named by. Restore it from a copy.`, {
          details: { run, file: path }
        });
      return bytes;
    },
    remove: (run) => disk.removeFolder(folderOf(run))
  };
}

// src/store/json/group.ts
function prepareBatch({ run, after, entries, row }) {
  const last = entries.length - 1;
  const bodies = entries.map(
    (entry, index) => entryBody(index === last && row !== void 0 ? { row, entry } : { entry })
  );
  return { run, first: after + 1, bodies, ...row !== void 0 && { row: structuredClone(row) } };
}
function assembleGroup(batches, heads, offset, buffer) {
  const hashes = /* @__PURE__ */ new Map();
  const lines = [];
  buffer.clear();
  for (const { run, first, bodies, row, removed } of batches) {
    let prev = hashes.get(run) ?? heads.get(run)?.hash ?? "";
    for (const [index, body] of bodies.entries()) {
      const isLast = index === bodies.length - 1;
      const place = {
        run,
        seq: first + index,
        prev,
        batch: [index + 1, bodies.length],
        offset: lines.length === 0 ? offset : void 0
      };
      const { byte, hash: hash6 } = buffer.add(entryTop(place), body);
      lines.push({ kind: "entry", ...place, row: isLast ? row : void 0, removed, hash: hash6, byte });
      prev = hash6;
    }
    hashes.set(run, prev);
  }
  return { bytes: buffer.bytes, lines };
}

// src/store/json/journal-writer.ts
var quickSyncMs = 1;
var quickLines = 8;
var JournalWriter = class {
  #parts;
  #admission;
  #open;
  #segmentNumber;
  #waiting = [];
  #working;
  /** The open segment took a failed write or sync: what lies behind its end is not known, and nothing more is appended to it. */
  #isUnsettled = false;
  #settling;
  #isFenced = false;
  #isClosed = false;
  #lastSyncMs = 0;
  #buffer = new LineBuffer();
  constructor(parts) {
    this.#parts = parts;
    this.#open = parts.opened;
    this.#segmentNumber = parts.header.segment;
    this.#admission = new Admission({
      seq: (run) => parts.reader.heads.seq(run),
      removed: (run) => parts.reader.heads.removed(run),
      keyHolder: (key) => parts.reader.heads.keyHolder(key)
    });
  }
  /** What the caller does with its objects after the call changes nothing. */
  async append(batches) {
    if (!this.#mustSettle()) return this.#admit(batches);
    const copies = structuredClone(batches);
    await this.settle();
    await this.#admit(copies);
  }
  /** Appends a run's tombstone (RU8). */
  async remove(run) {
    await this.settle();
    if (this.#isFenced) throw conflict();
    const seq = this.#admission.admitRemoval(run);
    if (seq === void 0) return;
    const removed = this.#parts.clock.now();
    await this.#enqueue([{ run, first: seq, bodies: [entryBody({ removed })], removed }]);
  }
  /** After a failed write or sync: finds out what is there, keeps it, and goes on in a new segment (ST5). */
  settle() {
    return this.#mustSettle() ? this.#goOn() : Promise.resolve();
  }
  /**
   * Goes on in a new segment. Whoever wants that meanwhile waits for the same one: two would both follow the one before. A record begins
   * a segment of its own, after one that is under way.
   */
  #goOn(record) {
    if (record !== void 0 && this.#settling !== void 0) return this.#settling.then(() => this.#goOn(record));
    this.#settling ??= this.#startSegment(record).finally(() => this.#settling = void 0);
    return this.#settling;
  }
  /** Goes on in a new segment, which begins with the record of those that may go (ST7). */
  async drop(record) {
    await this.settle();
    if (this.#isFenced) throw conflict();
    await this.#enqueue([], record);
  }
  /** Looks whether a newer epoch has begun (ST6). Its name may have gone by now, but not before one's own segments did (ST7). */
  checkFence() {
    const { disk, journal, header, onFenced } = this.#parts;
    const next = segmentPath(journal, segmentName(header.epoch + 1, 1));
    if (this.#isFenced || !disk.exists(next) && disk.exists(segmentPath(journal, this.#open.segment))) return this.#isFenced;
    this.#isFenced = true;
    onFenced();
    return true;
  }
  /** Writes what waits, and a last line that frees the folder at once. */
  async close() {
    await this.#working;
    this.#isClosed = true;
    try {
      await this.settle();
      if (this.checkFence()) return;
      this.#open.file.append(Buffer.from(encodeClosed(this.#parts.clock.now(), this.#open.end)));
      await this.#open.file.trim();
      await this.#open.file.sync();
    } catch {
    } finally {
      await this.#open.file.close().catch(() => void 0);
    }
  }
  async #admit(batches) {
    const { disk, journal, reader } = this.#parts;
    if (this.#isFenced) throw conflict();
    if (this.#isClosed) throw notStored("the store is being closed");
    for (const { run } of batches) {
      const head = reader.heads.get(run);
      if (head?.damage !== void 0) throw await damageError(disk, journal, run, head.damage, head.seq);
    }
    const admitted = this.#admission.admit(batches);
    if (admitted.length > 0) await this.#enqueue(admitted.map(prepareBatch));
  }
  #mustSettle() {
    return this.#isUnsettled || this.#settling !== void 0;
  }
  #enqueue(batches, record) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batches, record, resolve, reject });
      this.#working ??= this.#work();
    });
  }
  async #work() {
    while (this.#waiting.length > 0) {
      await this.#parts.disk.turn();
      const calls = this.#waiting;
      this.#waiting = [];
      try {
        await this.#write(calls);
        for (const call of calls) call.resolve();
      } catch (cause) {
        this.#fail(calls, FleetError.is(cause) ? cause : notStored(cause));
      }
    }
    this.#working = void 0;
  }
  /** Nothing of what was queued meanwhile was written: it is refused, since it was decided upon what failed (CO1). */
  #fail(calls, error) {
    const later = this.#waiting;
    this.#waiting = [];
    this.#admission.reset();
    for (const call of calls) call.reject(error);
    for (const call of later) call.reject(this.#isFenced ? conflict() : notStored(error));
  }
  async #write(calls) {
    const { reader, segmentBytes, onDurable } = this.#parts;
    const batches = calls.flatMap((call) => call.batches);
    const record = calls.find((call) => call.record !== void 0)?.record;
    if (record !== void 0) await this.#goOn(record);
    if (batches.length === 0) return;
    let group = assembleGroup(batches, reader.heads, this.#open.end, this.#buffer);
    if (this.#open.end > segmentBytes / 2 && this.#open.end + group.bytes.length > segmentBytes) {
      await this.#goOn();
      group = assembleGroup(batches, reader.heads, this.#open.end, this.#buffer);
    }
    const { file, end, segment } = this.#open;
    try {
      file.append(group.bytes);
    } catch (cause) {
      await this.#undo(cause);
      throw notStored(cause);
    }
    await this.#sync(group.lines.length <= quickLines);
    if (this.#isFencedNow()) throw conflict();
    this.#open = { file, segment, end: end + group.bytes.length };
    reader.wrote(group.lines, end, placeOf(this.#open));
    this.#admission.settle(batches);
    onDurable();
  }
  /** Cuts off what a failed write left behind. Where that fails too, nobody can say what would be read after a crash. */
  async #undo(cause) {
    if (this.#isFencedNow()) throw conflict();
    try {
      await this.#open.file.truncate(this.#open.end);
      await this.#open.file.sync();
    } catch {
      this.#isUnsettled = true;
      throw outcomeUnknown(cause);
    }
  }
  async #sync(isSmall) {
    const { clock } = this.#parts;
    const startedAt = clock.monotonic();
    try {
      if (isSmall && this.#lastSyncMs < quickSyncMs) this.#open.file.syncNow();
      else await this.#open.file.sync();
    } catch (cause) {
      this.#isUnsettled = true;
      throw outcomeUnknown(cause);
    }
    this.#lastSyncMs = clock.monotonic() - startedAt;
  }
  /** Where that cannot be told, nothing is acknowledged: what was written may count or not. */
  #isFencedNow() {
    try {
      return this.checkFence();
    } catch (cause) {
      this.#isUnsettled = true;
      throw outcomeUnknown(cause);
    }
  }
  async #startSegment(dropped) {
    const { disk, journal, header, reader, unique, onDurable } = this.#parts;
    const { file, segment, end } = this.#open;
    try {
      const behind = this.#isUnsettled ? await readJournal(disk, segmentPath(journal, segment), end) : Buffer.alloc(0);
      const kept = parseSegment(behind, end, false);
      this.#segmentNumber += 1;
      const gone = new Set(dropped?.segments);
      const left = dropped === void 0 ? [] : reader.ends.filter((one) => !gone.has(one.segment));
      const previous = [...left, { segment, end }];
      const adopted = behind.subarray(0, kept.end - end);
      const top = { ...header, segment: this.#segmentNumber };
      this.#isUnsettled = true;
      const next = await createSegment(this.#parts, top, previous, adopted, unique(), dropped);
      try {
        if (this.checkFence()) throw conflict();
      } catch (cause) {
        await next.file.close();
        throw cause;
      }
      this.#open = next;
      this.#isUnsettled = false;
      reader.follow(previous, placeOf(next), dropped);
      const moved = kept.items.flatMap((item) => item.kind === "batch" ? item.lines : []);
      reader.wrote(moved, next.adoptedAt - end, placeOf(next));
    } catch (cause) {
      throw FleetError.is(cause) ? cause : notStored(cause);
    }
    await file.close().catch(() => void 0);
    onDurable();
  }
  /** Rejects `store_conflict` when a newer epoch has begun. */
  refuseFenced() {
    if (this.checkFence()) throw conflict();
  }
};

// src/store/json/ownership.ts
async function* grantRuns({ granted, epoch, lost, ended }, heads, { runs, signal }) {
  const open2 = [...heads.all()].filter(({ seq, row, removed }) => seq > 0 && removed !== true && !hasEnded(row));
  const wanted = open2.map(({ run }) => run).filter((run) => run !== reservedId && (runs === void 0 || runs.includes(run)));
  for (const run of [reservedId, ...wanted]) {
    if (signal?.aborted === true || ended.signal.aborted) return;
    if (granted.has(run)) continue;
    granted.add(run);
    const release = () => Promise.resolve(void granted.delete(run));
    yield { run, epoch, lost: lost.signal, release };
  }
}

// src/store/json/removed-folders.ts
var RemovedFolders = class {
  #disk;
  #layout;
  #leaving = /* @__PURE__ */ new Set();
  constructor(disk, layout) {
    this.#disk = disk;
    this.#layout = layout;
  }
  /** Whether a folder may still be there: then the tombstone stays at hand, to be seen at the next opening. */
  isLeaving(run) {
    return this.#leaving.has(run);
  }
  /** Where the folder cannot be removed the run is gone all the same, and the next opening tries again. */
  async remove(run, bury) {
    this.#leaving.add(run);
    await bury();
    const isGone = await this.#disk.removeFolder(this.#layout.run(run)).then(
      () => true,
      () => false
    );
    if (isGone) this.#leaving.delete(run);
  }
  /** Removes what a crash left. */
  async sweep(heads) {
    for (const { run, removed } of heads)
      if (removed === true && this.#disk.exists(this.#layout.run(run)))
        await this.#disk.removeFolder(this.#layout.run(run)).catch(() => void 0);
  }
};

// src/store/json/run-lookup.ts
var RunLookup = class {
  #reader;
  constructor(reader) {
    this.#reader = reader;
  }
  /** Makes the run's head known, if there is one. */
  find(run) {
    return this.#reader.load(() => !this.#reader.heads.lacks(run));
  }
  async row(query) {
    if ("id" in query) await this.find(query.id);
    else await this.#reader.load(() => !this.#reader.heads.lacksKey(query.key));
    const { heads } = this.#reader;
    const run = "id" in query ? query.id : heads.keyHolder(query.key);
    return run === void 0 ? void 0 : heads.get(run)?.row;
  }
  async rows(query) {
    const list = () => listRows(this.#reader.heads.rows(), query);
    const mayEnd = query?.status === void 0 || query.status.some((status) => hasEnded({ status }));
    await this.#reader.load(() => !mayEnd || query?.limit !== void 0 && this.#isEnough(list(), query.limit));
    return list();
  }
  /** Whether an append may concern runs or keys that are not known, so that it cannot be admitted yet. */
  isLacking(batches) {
    const { heads } = this.#reader;
    return batches.some(({ run, row }) => heads.lacks(run) || row?.key !== void 0 && heads.lacksKey(row.key));
  }
  /** Whether no run that is not known comes before the last row. */
  #isEnough(rows, limit) {
    const next = this.#reader.heads.shards.nextApart;
    const last = rows[limit - 1];
    return limit < 1 || last !== void 0 && next !== void 0 && last.createdAt > next.newest;
  }
};

// src/store/json/durable-folders.ts
import { dirname as dirname2, sep } from "node:path";
var mostKnown = 1e3;
function withDurableFolders(disk, root) {
  const known = /* @__PURE__ */ new Set();
  const forget = (folder) => {
    for (const one of known) if (isWithin(one, folder)) known.delete(one);
  };
  const secure = async (path, isOurs) => {
    const above = dirname2(path);
    if (above === path || known.has(path)) return;
    await secure(above, isOurs);
    await disk.syncFolder(above).catch((error) => {
      if (isOurs(path) || !isErrno(error, "EACCES", "EPERM", "EINVAL", "ENOTSUP", "EROFS")) throw error;
    });
    if (known.size >= mostKnown) known.clear();
    known.add(path);
  };
  return {
    ...disk,
    makeFolder: async (path) => {
      const first = await disk.makeFolder(path);
      if (first !== void 0) forget(first);
      const isOurs = (one) => isWithin(one, root) && one !== root || first !== void 0 && isWithin(one, first);
      await secure(path, isOurs);
      return first;
    },
    removeFolder: async (path) => {
      forget(path);
      await disk.removeFolder(path);
    }
  };
}
function isWithin(path, folder) {
  return path === folder || path.startsWith(`${folder}${sep}`);
}

// src/store/json/process-identity.ts
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
var hostFacts = { self, isAlive: (process2) => isAlive(process2, self()) };
function isAlive(other, here) {
  if (other.host !== here.host) return void 0;
  if (other.boot !== here.boot) return other.boot === null || here.boot === null ? void 0 : false;
  if (other.pidNamespace !== here.pidNamespace) return void 0;
  if (here.started === null) return answersSignals(other.pid);
  const stat2 = statOf(other.pid);
  return stat2 !== void 0 && stat2.state !== "Z" && stat2.state !== "X" && stat2.started === other.started;
}
function self() {
  return {
    host: hostname(),
    boot: attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()) ?? null,
    pidNamespace: attempt(() => readlinkSync("/proc/self/ns/pid")) ?? null,
    pid: process.pid,
    started: statOf(process.pid)?.started ?? null
  };
}
function statOf(pid) {
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, started] = [fields?.[0], fields?.[19]];
  return state === void 0 || started === void 0 ? void 0 : { state, started };
}
function answersSignals(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
function attempt(read2) {
  try {
    return read2();
  } catch {
    return void 0;
  }
}

// src/store/json/store-parts.ts
var defaults = { segmentBytes: 16 * 1024 * 1024, roomBytes: 512 * 1024, indexDelayMs: 1e3 };
function completeParts(parts) {
  const disk = withDurableFolders(parts.disk ?? nodeDisk, layoutOf(parts.folder).root);
  return { ...defaults, host: hostFacts, ...parts, disk };
}

// src/store/json/store-reading.ts
var lookMs2 = 1e3;
var StoreReading = class {
  #parts;
  constructor(parts) {
    this.#parts = parts;
  }
  /** The owner settles what a failed sync left open, a reader reads on. */
  async look() {
    const { name, reader, writer } = this.#parts;
    const own = writer();
    if (own === void 0) return reader.refresh();
    await own.settle().catch((cause) => {
      throw new FleetError("outcome_unknown", `What the ${name} holds cannot be told yet: ${reasonOf(cause)} Read again later.`, {
        cause
      });
    });
  }
  async lookFor(run) {
    await this.look();
    await this.#parts.runs.find(run);
  }
  /** The number of the run's last durable entry, as far as it is known by now. */
  lastOf(run) {
    const { heads } = this.#parts.reader;
    return heads.removed(run) ? 0 : heads.seq(run);
  }
  async *watch(run, from, signal) {
    const { journal, clock, reader, runs, grown, writer } = this.#parts;
    let last = from;
    const hasGrown = () => this.lastOf(run) > last;
    while (!signal.aborted) {
      if (writer() !== void 0) {
        await runs.find(run);
        if (hasGrown()) yield last = this.lastOf(run);
        else await grown.wait(signal);
        continue;
      }
      for await (const _ of folderChanges(journal, { clock, everyMs: lookMs2, keepAlive: true, signal })) {
        await reader.refresh();
        await runs.find(run);
        if (hasGrown()) yield last = this.lastOf(run);
        if (writer() !== void 0) break;
      }
    }
  }
};

// src/store/json/store.ts
function createJsonStore(parts) {
  return new JsonStore(parts);
}
var JsonStore = class {
  name;
  blobs;
  folder;
  home;
  recordings;
  #parts;
  #layout;
  #reader;
  #index;
  #runs;
  #reading;
  #snapshots;
  #grown = new Bell();
  #folders;
  #retention;
  #former = /* @__PURE__ */ new Set();
  #owned;
  #opening;
  #closing;
  constructor(parts) {
    this.#parts = completeParts(parts);
    this.#layout = layoutOf(parts.folder);
    const { name, folder, home, recordings } = storeFacts(parts.folder);
    this.name = name;
    this.folder = folder;
    this.home = home;
    this.recordings = recordings;
    const { disk, clock, indexDelayMs } = this.#parts;
    this.blobs = diskBlobs(disk, this.#layout, this.#unique);
    this.#folders = new RemovedFolders(disk, this.#layout);
    const isBusy = (run) => this.#folders.isLeaving(run);
    this.#index = new IndexDocument({ disk, layout: this.#layout, clock, delayMs: indexDelayMs, unique: this.#unique, isBusy });
    this.#reader = new JournalReader(disk, this.#layout.journal, this.#parts.host, this.#index);
    this.#runs = new RunLookup(this.#reader);
    this.#reading = new StoreReading({
      name: this.name,
      journal: this.#layout.journal,
      clock,
      reader: this.#reader,
      runs: this.#runs,
      grown: this.#grown,
      writer: () => this.#writer
    });
    const common = { disk, reader: this.#reader, unique: this.#unique };
    this.#snapshots = new Snapshots({ ...common, layout: this.#layout });
    const streamSnapshot = () => this.#loadSnapshot(reservedId);
    this.#retention = new SegmentRetention({ ...common, journal: this.#layout.journal, streamSnapshot });
  }
  async open(options) {
    if (this.#owned?.lost.signal.aborted === true) await this.close();
    await this.#closing;
    if (this.#opening !== void 0 || this.#owned !== void 0)
      throw new FleetError("store_owned", `The ${this.name} is open already, in this very process. Close it first.`);
    const opening = new AbortController();
    this.#opening = opening;
    const signal = options.signal === void 0 ? opening.signal : AbortSignal.any([options.signal, opening.signal]);
    try {
      return await this.#open({ ...options, signal });
    } catch (cause) {
      if (FleetError.is(cause) || signal.aborted) throw cause;
      throw new FleetError(
        "not_stored",
        `The ${this.name} cannot be opened for writing: ${reasonOf(cause)}. Check the folder and its disk.`,
        { cause }
      );
    } finally {
      this.#opening = void 0;
    }
  }
  async *claim(options) {
    yield* grantRuns(this.#requireOwned(), this.#reader.heads, options);
  }
  async append(batches) {
    const { writer, granted } = this.#requireOwned();
    if (this.#runs.isLacking(batches)) {
      const copies = structuredClone(batches);
      await this.#reader.load(() => false).catch((cause) => {
        throw notStored(cause);
      });
      await writer.append(copies);
    } else await writer.append(batches);
    for (const { run, after } of batches) if (after === 0) granted.add(run);
  }
  async read(run, { from, limit }) {
    await this.#reading.lookFor(run);
    return this.#reader.read(run, from, limit);
  }
  async last(run) {
    await this.#reading.lookFor(run);
    return this.#reading.lastOf(run);
  }
  async loadSnapshot(run) {
    await this.#reading.lookFor(run);
    return this.#reading.lastOf(run) === 0 ? void 0 : this.#loadSnapshot(run);
  }
  async saveSnapshot(run, snapshot) {
    const { writer } = this.#requireOwned();
    writer.refuseFenced();
    await this.#snapshots.save(run, snapshot);
    if (run === reservedId) await this.#giveBack();
  }
  async *watch(run, { from, signal }) {
    yield* this.#reading.watch(run, from, signal);
  }
  async runs(query) {
    await this.#reading.look();
    return this.#runs.rows(query);
  }
  async row(query) {
    await this.#reading.look();
    return this.#runs.row(query);
  }
  post(...[command, options]) {
    return postCommand(this.#inboxParts(), command, options);
  }
  async *inbox({ signal }) {
    const { writer, taken, ended } = this.#requireOwned();
    yield* takeCommands(this.#inboxParts(), taken, AbortSignal.any([signal, ended.signal]), () => writer.checkFence());
  }
  async remove(run) {
    const { writer } = this.#requireOwned();
    await this.#runs.find(run);
    await this.#folders.remove(run, () => writer.remove(run));
    await this.#giveBack();
  }
  async owner() {
    const { disk, host } = this.#parts;
    return readOwner(disk, this.#layout.journal, await resolveChain(disk, this.#layout.journal), host);
  }
  close() {
    this.#opening?.abort();
    this.#closing ??= this.#close().finally(() => this.#closing = void 0);
    return this.#closing;
  }
  async #open(options) {
    const { disk, clock, host, ids, segmentBytes, roomBytes, folder } = this.#parts;
    const { journal, inbox } = this.#layout;
    const common = { disk, journal, clock, unique: this.#unique, reader: this.#reader };
    const { header, opened, warnings } = await openJournal(
      {
        ...common,
        folder,
        host,
        retention: this.#retention,
        roomBytes,
        newStoreId: () => ids.next("store"),
        former: this.#former,
        indexed: () => this.#index.known
      },
      options
    );
    const ended = new AbortController();
    const lost = new AbortController();
    const onFenced = () => {
      this.#reader.disown();
      lost.abort();
      ended.abort();
      this.#grown.ring();
    };
    const onDurable = () => {
      this.#index.schedule(this.#reader);
      this.#grown.ring();
    };
    const writer = new JournalWriter({ ...common, header, opened, segmentBytes, roomBytes, onDurable, onFenced });
    this.#owned = { writer, epoch: header.epoch, granted: /* @__PURE__ */ new Set(), taken: /* @__PURE__ */ new Set(), lost, ended };
    try {
      await disk.makeFolder(inbox);
      await sweepAnswers(this.#inboxParts()).catch(() => void 0);
      await this.#folders.sweep(this.#reader.heads.all());
    } catch (error) {
      await this.#close();
      throw error;
    }
    return { storeId: header.store, epoch: header.epoch, warnings };
  }
  async #close() {
    const owned = this.#owned;
    if (owned === void 0) return;
    owned.ended.abort();
    await this.#retention.idle();
    await owned.writer.close();
    if (owned.lost.signal.aborted) await this.#index.cancel();
    else await this.#index.flush(this.#reader);
    this.#owned = void 0;
    this.#reader.disown();
    this.#grown.ring();
  }
  async #loadSnapshot(run) {
    return await this.#snapshots.load(run) ?? this.#reader.heads.get(run)?.base?.snapshot;
  }
  #giveBack() {
    const { writer, epoch, ended } = this.#requireOwned();
    return this.#retention.giveBack(writer, { epoch, least: this.#parts.segmentBytes / 2, signal: ended.signal });
  }
  /** The writer, while this process owns the journal. */
  get #writer() {
    return this.#owned?.lost.signal.aborted === false ? this.#owned.writer : void 0;
  }
  #requireOwned() {
    if (this.#owned !== void 0) return this.#owned;
    throw new FleetError("not_stored", `The ${this.name} is not open for writing. Open it first.`);
  }
  #inboxParts() {
    const { disk, clock } = this.#parts;
    return { disk, clock, folder: this.#layout.inbox, unique: this.#unique };
  }
  #unique = () => `${this.#parts.host.self().pid}-${this.#parts.ids.next("t")}`;
};

// src/store/json/doctor/lost-history.ts
import { join as join12 } from "node:path";
async function keepAside({ disk, layout, unique }, { run, seq }, damage, ends) {
  const prefix = linePrefix(run);
  const kept = [];
  for (const { segment, end } of ends.filter((one) => one.segment >= damage.segment)) {
    const bytes = await readJournal(disk, segmentPath(layout.journal, segment), 0, end);
    for (let start = 0, stop = bytes.indexOf(10); stop >= 0; start = stop + 1, stop = bytes.indexOf(10, start)) {
      const line = bytes.subarray(start, stop + 1);
      const isDamaged = segment === damage.segment && start === damage.byte;
      if (isDamaged || line.subarray(0, prefix.length).equals(prefix) && isBehind(line, seq)) kept.push(line);
    }
  }
  const aside = join12(layout.aside, `${safeName(run)}-after-${seq}.jsonl`);
  await disk.makeFolder(layout.aside);
  await replaceFile(disk, aside, Buffer.concat(kept), unique());
  return { aside, lines: kept.length };
}
function isBehind(line, seq) {
  const decoded = decodeLine(line.subarray(0, -1));
  return decoded?.kind !== "entry" || decoded.seq > seq;
}

// src/store/json/doctor/repair-store.ts
var instance = "doctor";
async function repairFolder(parts, options = {}) {
  await inspectFolder(parts);
  const { disk, layout } = parts;
  const { links } = await resolveChain(disk, layout.journal);
  const missing2 = missingSegments(disk, layout.journal, links).map((segment) => segmentPath(layout.journal, segment));
  const { done, lost } = await mendJournal(parts, options);
  done.push(...await mendBeside(parts));
  done.push(...await makeIndex(parts));
  return { done, lost, missing: missing2, inspection: await inspectFolder(parts) };
}
async function mendJournal(parts, options) {
  const { disk, layout, clock, host, ids, unique } = parts;
  const common = { disk, journal: layout.journal, reader: new JournalReader(disk, layout.journal, host, noIndex), unique };
  const snapshots = new Snapshots({ ...common, layout });
  const retention = new SegmentRetention({
    ...common,
    streamSnapshot: () => snapshots.load(reservedId),
    givesUpMissing: true
  });
  const opening = {
    ...common,
    folder: layout.root,
    clock,
    host,
    retention,
    newStoreId: () => ids.next("store"),
    former: /* @__PURE__ */ new Set(),
    roomBytes: 0,
    indexed: () => void 0
  };
  const { opened, warnings } = await openJournal(opening, { ...options, instance });
  const { reader } = common;
  const lost = [];
  try {
    const texts = [];
    for (const head of reader.heads.all()) {
      if (head.damage === void 0) continue;
      const kept = await keepAside(parts, head, head.damage, reader.ends);
      lost.push({ run: head.run, after: head.seq, ...await locate(disk, layout.journal, head.damage), ...kept });
      texts.push(recordOf2(head, clock.now()));
    }
    const records = texts.join("");
    const closed = encodeClosed(clock.now(), opened.end + Buffer.byteLength(records));
    opened.file.append(Buffer.from(records + closed));
    await opened.file.sync();
  } finally {
    await opened.file.close();
  }
  return { done: warnings.filter((text) => text.startsWith("A torn tail")), lost };
}
function recordOf2({ run, seq, hash: hash6 }, removed) {
  if (seq > 0 || run === reservedId) return encodeCut({ run, seq, hash: hash6 });
  const line = new LineBuffer();
  line.add(entryTop({ run, seq: 1, prev: "", batch: [1, 1] }), entryBody({ removed }));
  return line.bytes.toString();
}
async function mendBeside(parts) {
  const { disk, clock } = parts;
  const store = await examine(parts);
  const done = [];
  for (const { file, run } of await checkSnapshots(store, new Snapshots({ ...parts, reader: store.reader }))) {
    if (file === void 0) continue;
    await disk.remove(file);
    await disk.removeFolder(join13(dirname3(file), "snapshot"));
    done.push(`The snapshot of ${run} was dropped; its entries say it all.`);
  }
  for (const file of await temporaryFiles(parts)) {
    await disk.remove(file);
    done.push(`The temporary file ${file} was removed.`);
  }
  for (const { file, weight } of await checkInbox(store, clock)) {
    if (file === void 0 || weight !== "wrong") continue;
    await disk.rename(file, `${file}.refused`);
    done.push(`The command in ${file}, which cannot be read, was put aside.`);
  }
  return done;
}
async function makeIndex(parts) {
  const { disk, layout, clock, host, ids } = parts;
  await disk.remove(layout.index);
  await disk.removeFolder(layout.shards);
  const store = createJsonStore({ folder: layout.root, disk, clock, host, ids });
  try {
    await store.open({ instance });
    return ["The index was made again from the journal."];
  } catch (cause) {
    if (FleetError.is(cause, "store_owned")) return ["Another process took the store meanwhile; it makes the index again."];
    throw cause;
  } finally {
    await store.close();
  }
}

// src/store/json/doctor/verify-run.ts
import { hash as hash5 } from "node:crypto";
import { join as join14 } from "node:path";
async function verifyChain(parts, run, kept) {
  const { disk, layout } = parts;
  const chain = await resolveChain(disk, layout.journal);
  const base = chain.dropped?.base;
  const walk = new ChainWalk({ run, kept, blobsOf: parts.blobsOf, base: base?.run === run ? base : void 0 });
  for await (const { segment, items } of walkJournal(disk, layout.journal, chain)) walk.follow(items, segment);
  if (walk.isRemoved || !walk.isKnown)
    throw new FleetError("unknown_run", `No run ${run} in this store. List the runs with \`flotilla list\`.`, {
      details: { run_id: run }
    });
  const findings = missingSegments(disk, layout.journal, chain.links).map((segment) => ({
    part: "journal",
    weight: "lost",
    message: `A segment is missing; whether it held entries of the run cannot be told.`,
    file: segmentPath(layout.journal, segment)
  }));
  if (walk.broken !== void 0) {
    const place = await locate(disk, layout.journal, walk.broken.place);
    findings.push({
      part: "journal",
      weight: "lost",
      message: `The chain breaks after entry ${walk.seq}: ${walk.broken.why}.`,
      run,
      ...place
    });
  }
  for (const cut of walk.cuts)
    findings.push({
      part: "journal",
      weight: "note",
      message: `The run was cut off after entry ${cut.seq} when the store was repaired.`,
      run
    });
  if (kept !== void 0 && !walk.hasKept)
    findings.push({
      part: "journal",
      weight: "lost",
      message: `No line of the run has the hash ${kept}: what was written up to there is not what stands there now.`,
      run
    });
  const blobs = await compareBlobs(parts, run, walk.refs);
  return {
    run,
    seq: walk.seq,
    head: walk.head,
    blobs: blobs.compared,
    elsewhere: blobs.elsewhere,
    findings: [...findings, ...blobs.findings]
  };
}
var ChainWalk = class {
  hasKept = false;
  /** Blobs that entries name, and whether they must be there. */
  refs = /* @__PURE__ */ new Map();
  cuts = [];
  seq;
  head;
  broken;
  isRemoved = false;
  #run;
  #options;
  #prefix;
  /** The first place since the last good line where the run's next one may have stood. */
  #suspect;
  constructor(options) {
    this.#options = options;
    this.#run = options.run;
    this.#prefix = linePrefix(options.run).toString();
    this.seq = options.base?.seq ?? 0;
    this.head = options.base?.hash ?? "";
  }
  get isKnown() {
    return this.seq > 0 || this.broken !== void 0;
  }
  follow(items, segment) {
    for (const item of items) {
      if (item.kind === "bad") this.#bad(item, { segment, byte: item.byte });
      else if (item.kind === "batch") for (const line of item.lines) this.#line(line, segment);
      else if (item.line.kind === "cut") this.#cut(item.line.cut);
      else if (item.line.kind === "previous") this.isRemoved ||= item.line.dropped?.removed.includes(this.#run) === true;
    }
  }
  #line(line, segment) {
    if (line.run !== this.#run || line.seq <= (this.#options.base?.seq ?? 0)) return;
    this.isRemoved ||= line.removed !== void 0;
    const isNext = line.seq === this.seq + 1 && line.prev === this.head;
    if (this.broken !== void 0 && !isNext) return;
    if (isNext) {
      this.broken = void 0;
      this.#suspect = void 0;
      this.seq = line.seq;
      this.head = line.hash;
      this.hasKept ||= line.hash === this.#options.kept;
      for (const { sha256, isKept } of line.entry === void 0 ? [] : this.#options.blobsOf(line.entry))
        this.refs.set(sha256, isKept || this.refs.get(sha256) === true);
      return;
    }
    const place = this.#suspect ?? { segment, byte: line.byte };
    const why = line.seq === this.seq + 1 ? "the next line does not carry the hash of that one" : `entry ${line.seq} stands where ${this.seq + 1} is due`;
    this.broken = { place, why: this.#suspect === void 0 ? why : "what stands there is not what was written" };
  }
  #bad(item, place) {
    if (item.text === "" && item.run === void 0) return;
    this.#suspect ??= place;
    if (item.run === this.#run) this.broken ??= { place, why: "lines of the batch are missing there" };
    else if (item.text.startsWith(this.#prefix)) this.broken ??= { place, why: "what stands there is not what was written" };
  }
  #cut(cut) {
    if (cut.run !== this.#run || cut.seq !== this.seq || cut.hash !== this.head) return;
    this.broken = void 0;
    this.#suspect = void 0;
    this.cuts.push(cut);
  }
};
async function compareBlobs({ disk, layout }, run, refs) {
  const findings = [];
  let [compared, elsewhere] = [0, 0];
  for (const [sha256, isKept] of refs) {
    const file = join14(layout.run(run), "blobs", sha256);
    const isThere = disk.exists(file);
    if (!isThere && !isKept) {
      elsewhere += 1;
      continue;
    }
    compared += 1;
    const found = (part) => ({ part: "blobs", weight: "lost", message: `${part} (AR2).`, run, file });
    if (!isThere) findings.push(found("The bytes that an entry names are missing"));
    else if (hash5("sha256", await disk.read(file)) !== sha256) findings.push(found("The bytes are not those that an entry names"));
  }
  return { compared, elsewhere, findings };
}
export {
  createJsonStore,
  hostFacts,
  inspectFolder,
  nodeDisk,
  repairFolder,
  verifyChain
};
