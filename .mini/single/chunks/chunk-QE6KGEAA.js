import {
  FleetError
} from "./chunk-XBBK4D7O.js";

// src/store/json/layout.ts
import { join, resolve } from "node:path";
function layoutOf(folder) {
  const root = resolve(folder);
  const runs = join(root, "runs");
  return {
    root,
    runs,
    journal: join(root, "journal"),
    index: join(root, "index.json"),
    shards: join(root, "index"),
    inbox: join(root, "inbox"),
    aside: join(root, "aside"),
    recordings: join(root, "recordings"),
    run: (run) => join(runs, safeName(run))
  };
}
function safeName(id) {
  if (/^[A-Za-z0-9._-]{1,200}$/.test(id) && id !== "." && id !== "..") return id;
  throw new FleetError("invalid_document", `${JSON.stringify(id)} cannot name a file. Use 1 to 200 of A-Z a-z 0-9 . _ - in ids.`);
}

// src/store/json/store-facts.ts
function storeFacts(folder) {
  const { root, runs, recordings } = layoutOf(folder);
  return { name: `json store in ${folder}`, folder: runs, home: root, recordings };
}

// src/store/bell.ts
var Bell = class {
  #waiters = /* @__PURE__ */ new Set();
  ring() {
    for (const wake of [...this.#waiters]) wake();
  }
  /** Resolves at the next ring, or when `signal` aborts. */
  wait(signal) {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve2) => {
      const wake = () => {
        this.#waiters.delete(wake);
        signal?.removeEventListener("abort", wake);
        resolve2();
      };
      this.#waiters.add(wake);
      signal?.addEventListener("abort", wake);
    });
  }
};

// src/store/row-list.ts
var ended = /* @__PURE__ */ new Set(["completed", "failed", "cancelled"]);
function hasEnded(row) {
  return row !== void 0 && ended.has(row.status) && (row.unsettled ?? 0) === 0;
}
function listRows(rows, query = {}) {
  const matching = [...rows].filter((row) => query.status === void 0 || query.status.includes(row.status));
  return matching.reverse().toSorted((a, b) => b.createdAt - a.createdAt).slice(0, query.limit ?? matching.length);
}

// src/store/admission.ts
var Admission = class {
  #facts;
  #seqs = /* @__PURE__ */ new Map();
  #keys = /* @__PURE__ */ new Map();
  #removed = /* @__PURE__ */ new Set();
  constructor(facts) {
    this.#facts = facts;
  }
  /** The batches, one per run; or a rejection that leaves everything as it was. */
  admit(batches) {
    const merged = mergeByRun(batches);
    for (const batch of merged) this.#check(batch);
    checkKeysAmong(merged);
    for (const batch of merged) {
      this.#seqs.set(batch.run, batch.after + batch.entries.length);
      if (batch.row?.key !== void 0) this.#keys.set(batch.row.key, batch.run);
    }
    return merged;
  }
  /** The sequence of a run's tombstone, or undefined when the run is removed already. Rejects `unknown_run`. */
  admitRemoval(run) {
    if (this.#isRemoved(run)) return void 0;
    const seq = this.#seq(run);
    if (seq === 0) throw new FleetError("unknown_run", `No run ${run} in this store. List the runs with fleet.runs().`);
    this.#removed.add(run);
    this.#seqs.set(run, seq + 1);
    return seq + 1;
  }
  /** Forgets what is durable by now. */
  settle(batches) {
    for (const { run, row } of batches) {
      if (row?.key !== void 0) this.#keys.delete(row.key);
      if (!this.#facts.removed(run) && this.#facts.seq(run) !== this.#seqs.get(run)) continue;
      this.#seqs.delete(run);
      this.#removed.delete(run);
    }
  }
  /** Forgets everything that was queued. */
  reset() {
    this.#seqs.clear();
    this.#keys.clear();
    this.#removed.clear();
  }
  #check({ run, after, entries, row }) {
    const seq = this.#seq(run);
    if (after === 0 && (seq > 0 || this.#isRemoved(run)))
      throw new FleetError("run_exists", `Run ${run} exists, or existed, in this store. Leave the id out, or choose another.`, {
        details: { run }
      });
    if (after !== seq || this.#isRemoved(run))
      throw new FleetError(
        "store_conflict",
        `Run ${run} is at sequence ${seq}, not at ${after}. Read the run again before appending.`,
        {
          details: { run, seq, after }
        }
      );
    const gap = entries.findIndex((entry, index) => entry.seq !== after + 1 + index);
    if (gap >= 0)
      throw new FleetError(
        "store_conflict",
        `The entries of run ${run} are not dense after ${after}. Number them from ${after + 1}.`,
        {
          details: { run, seq, after }
        }
      );
    const holder = row?.key === void 0 ? void 0 : this.#keys.get(row.key) ?? this.#facts.keyHolder(row.key);
    if (holder !== void 0 && holder !== run) throw keyTaken(run, holder);
  }
  #seq(run) {
    return this.#seqs.get(run) ?? this.#facts.seq(run);
  }
  #isRemoved(run) {
    return this.#removed.has(run) || this.#facts.removed(run);
  }
};
function mergeByRun(batches) {
  const merged = /* @__PURE__ */ new Map();
  for (const batch of batches) {
    const before = merged.get(batch.run);
    if (before === void 0) merged.set(batch.run, batch);
    else if (batch.after === before.after + before.entries.length)
      merged.set(batch.run, { ...before, ...batch, after: before.after, entries: [...before.entries, ...batch.entries] });
    else
      throw new FleetError("store_conflict", `Two batches of run ${batch.run} do not follow one another. Append them in order.`, {
        details: { run: batch.run, after: batch.after }
      });
  }
  return [...merged.values()].filter((batch) => batch.entries.length > 0);
}
function checkKeysAmong(batches) {
  const holders = /* @__PURE__ */ new Map();
  for (const { run, row } of batches) {
    if (row?.key === void 0) continue;
    const holder = holders.get(row.key);
    if (holder !== void 0) throw keyTaken(run, holder);
    holders.set(row.key, run);
  }
}
function keyTaken(run, holder) {
  return new FleetError(
    "run_conflict",
    `The idempotency key of run ${run} belongs to run ${holder}. Use another key, or go on with that run.`,
    {
      details: { run, holder }
    }
  );
}

export {
  layoutOf,
  safeName,
  storeFacts,
  Bell,
  Admission,
  hasEnded,
  listRows
};
