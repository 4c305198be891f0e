// src/protocol/errors.ts
var errorCodes = {
  invalid_document: row("A document does not fit the contract.", "Mend every problem that the message lists."),
  invalid_option: row("An option of the library has a value that it cannot have.", "Pass a value that the message names."),
  usage: row("A command line was not understood.", "See `flotilla help`."),
  unreadable_file: row("A file could not be read.", "Check the path and its permissions."),
  too_large: row("An input is over its limit of size or depth.", "Make it smaller, or split it."),
  unenforceable: row(
    "A field asks for something that cannot be enforced here, so it is refused.",
    "Change the field that the message names."
  ),
  unsupported_target: row(
    "The run names a target that no worker here can be.",
    "Leave `target` out, or name one that has workers."
  ),
  impossible_task: row("No registered worker could ever take a task.", "Register a worker that can, or change the task."),
  unknown_run: row("No run has this id in this store.", "List the runs with `fleet.runs()` or `flotilla list`."),
  unknown_task: row("The run has no task with this id.", "List the tasks with `run.spec()` or `flotilla status RUN`."),
  unknown_worker: row("No worker has this id.", "List the workers with `fleet.workers()`."),
  unknown_handler: row("A run needs a handler that no worker serves.", "Pass it in `handlers`, or with `--worker`."),
  run_exists: row("A run with this id exists, or existed, in this store.", "Leave the id out, or choose another."),
  run_conflict: row("The idempotency key belongs to a run with another spec.", "Use another key, or pass the same spec."),
  run_sealed: row("The run takes no more tasks.", "Create it with `open: true`, and add before `seal()`."),
  run_open: row("The run has not ended.", "Wait for its end, or cancel it first."),
  run_not_started: row("The run has not been started.", "Call `run.start()` first."),
  run_not_completed: row("The run ended, but not every task completed.", "Look at `result.failures`, or at the receipts."),
  refused: row(
    "A lifecycle does not accept this step from its present state; nothing changed.",
    "Look at the state that the message names."
  ),
  not_settleable: row(
    "The task has no partial verdict that could be settled.",
    "Settle a task whose receipt is `partial`, once."
  ),
  lease_lost: row("The attempt no longer holds the lease of its task.", "Stop working on it; another attempt may be running."),
  task_cancelled: row("The task was cancelled while the attempt ran.", "Stop working on it."),
  task_timeout: row("The attempt ran longer than `timeout_seconds`.", "Allow more time, or make the work shorter."),
  budget_exceeded: row(
    "A limit of the budget of a task or a run was crossed.",
    "Hand back what there is; give new work a larger budget."
  ),
  task_stale: row(
    "Nothing was heard of the attempt for longer than its lease.",
    "Look at the worker; the task is retried while attempts remain."
  ),
  fleet_closed: row("The fleet is closed, or closing.", "Create a new fleet."),
  store_owned: row("Another process owns this store.", "Stop it, wait for it, or send it a command with the command line."),
  store_conflict: row("Another owner took the store or the run over; this one is fenced out.", "Close this fleet."),
  store_failing: row(
    "The store cannot be written at the moment; nothing was stored.",
    "Try again when `store.recovered` is announced.",
    true
  ),
  not_stored: row(
    "The store refused an append; nothing of it was stored.",
    "Mend the cause that the message names, then try again.",
    true
  ),
  outcome_unknown: row("An append was cut off; it may be stored or not.", "Read the run to learn which.", true),
  store_damaged: row(
    "A stored line or document does not read as it was written.",
    "Restore it from a copy; the message names file, line and byte."
  ),
  store_too_new: row("The store was written by a newer version.", "Upgrade flotilla; nothing was changed."),
  cursor_unavailable: row(
    "The cursor names an event that this run does not have, or no longer has.",
    "Read again without a cursor."
  ),
  artifact_refused: row(
    "An artifact was refused; the attempt goes on.",
    "See the reason: its path, its size, its kind of file, or its checksum."
  ),
  posted_not_taken: row(
    "The command was posted, but the owner has not taken it yet.",
    "It will be taken when the owner is able; look at the run later.",
    true
  ),
  invalid_output: row(
    "A handler returned something that is not JSON, or that its output schema refuses.",
    "Return what the schema describes."
  ),
  secret_unresolved: row(
    "A secret could not be resolved, or was not handed to this attempt.",
    "See the reason; name the secret in `allowed_secrets`, and its source in `secrets`."
  ),
  invalid_message: row(
    "What a worker sent is no message of the protocol, or comes where it may not; nothing of it was taken.",
    "Mend the worker; the reason says what was expected."
  ),
  unauthenticated: row(
    "A worker did not prove who it is.",
    "Give it the token that the fleet expects of its id, or mend `verify`."
  ),
  unsuited_worker: row(
    "A worker does not serve what it is registered for.",
    "Change what it serves, or how it is registered; the message names what is lacking."
  ),
  handler_unresponsive: row(
    "A handler did not end after its signal was aborted.",
    "Pass `attempt.signal` to whatever the handler waits for."
  )
};
var FleetError = class _FleetError extends Error {
  code;
  details;
  constructor(code, message, options = {}) {
    super(message, options.cause === void 0 ? void 0 : { cause: options.cause });
    this.name = "FleetError";
    this.code = code;
    this.details = options.details ?? {};
  }
  get retryable() {
    return errorCodes[this.code].retryable;
  }
  /** Whether a caught value is a FleetError, of the given code when one is named. */
  static is(value, code) {
    return value instanceof _FleetError && (code === void 0 || value.code === code);
  }
};
function row(meaning, action, retryable = false) {
  return { meaning, action, retryable };
}

// src/protocol/steps.ts
var stepsPerSlice = 250;
var sliceMs = 8;
function allAtOnce(steps) {
  for (; ; ) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
async function inSlices(steps, clock) {
  let beganAt = clock.monotonic();
  let taken = 0;
  for (; ; ) {
    const step = steps.next();
    if (step.done === true) return step.value;
    taken += 1;
    if (taken < stepsPerSlice && clock.monotonic() - beganAt < sliceMs) continue;
    await clock.turn();
    beganAt = clock.monotonic();
    taken = 0;
  }
}

// src/protocol/token.ts
var tokenPattern = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$/;
var reservedId = "fleet";
function isToken(text2) {
  return typeof text2 === "string" && tokenPattern.test(text2);
}

// src/protocol/json-copy.ts
var deepest = 1e3;
function copyJson(source) {
  return allAtOnce(copyingJson(source));
}
function* copyingJson(source) {
  const copier = new Copier();
  return { value: yield* copier.outermost(source), problems: copier.problems };
}
var Copier = class {
  problems = [];
  #path = [];
  /** Objects and lists that are being copied, for cycles. */
  #open = /* @__PURE__ */ new Set();
  #copy(value) {
    if (!isNested(value)) return this.#scalar(value);
    if (!this.#enter(value)) return void 0;
    const result = Array.isArray(value) ? this.#list(value) : this.#object(value);
    this.#open.delete(value);
    return result;
  }
  /** As `#copy`, with rests. */
  *outermost(value) {
    if (!isNested(value)) return this.#scalar(value);
    if (!this.#enter(value)) return void 0;
    const result = Array.isArray(value) ? yield* this.#outerList(value) : yield* this.#outermostObject(value);
    this.#open.delete(value);
    return result;
  }
  *#outermostObject(object2) {
    if (!isPlain(object2)) return this.#refuse("a JSON value", instanceName(object2));
    const result = {};
    for (const [key, member] of Object.entries(object2)) {
      this.#path.push(key);
      if (this.#isKey(key)) keep(result, key, Array.isArray(member) ? yield* this.outermost(member) : this.#copy(member));
      this.#path.pop();
    }
    return result;
  }
  *#outerList(list2) {
    const result = [];
    for (let index = 0; index < list2.length; index++) {
      result.push(this.#item(list2, index));
      yield;
    }
    return result;
  }
  #scalar(value) {
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number") return Number.isFinite(value) ? value + 0 : this.#refuse("a finite number", String(value));
    return value === void 0 ? void 0 : this.#refuse("a JSON value", `a ${typeof value}`);
  }
  #object(object2) {
    if (!isPlain(object2)) return this.#refuse("a JSON value", instanceName(object2));
    const result = {};
    for (const [key, member] of Object.entries(object2)) {
      this.#path.push(key);
      if (this.#isKey(key)) keep(result, key, this.#copy(member));
      this.#path.pop();
    }
    return result;
  }
  #list(list2) {
    const result = [];
    for (let index = 0; index < list2.length; index++) result.push(this.#item(list2, index));
    return result;
  }
  #item(list2, index) {
    this.#path.push(index);
    const item = list2[index] === void 0 ? this.#refuse("a JSON value", "nothing") : this.#copy(list2[index]);
    this.#path.pop();
    return item ?? null;
  }
  #enter(value) {
    if (this.#open.has(value)) this.#refuse("a JSON value", "a cycle");
    else if (this.#open.size >= deepest) this.#refuse(`at most ${deepest} levels`, "more");
    else {
      this.#open.add(value);
      return true;
    }
    return false;
  }
  #isKey(key) {
    if (key === "__proto__") this.#refuse("a document without the key `__proto__`", "one");
    return key !== "__proto__";
  }
  #refuse(expected, got) {
    this.problems.push({ path: [...this.#path], expected, got });
  }
};
function isNested(value) {
  return typeof value === "object" && value !== null;
}
function keep(result, key, value) {
  if (value !== void 0) result[key] = value;
}
function isPlain(object2) {
  const prototype = Object.getPrototypeOf(object2);
  return prototype === null || Object.getPrototypeOf(prototype) === null && Object.hasOwn(Object(prototype), "isPrototypeOf");
}
function instanceName(object2) {
  const name = object2.constructor?.name;
  return typeof name === "string" && /^[A-Za-z_$][\w$]{0,40}$/.test(name) ? `an instance of ${name}` : "an instance of a class";
}

// src/protocol/problem.ts
function invalidDocument(subject, problems) {
  return allAtOnce(reportingInvalid(subject, problems));
}
function* reportingInvalid(subject, problems) {
  const reported = [];
  const lines = [];
  for (const { path, expected, got } of problems) {
    const place = formatPath(path);
    reported.push({ path: place, expected, got });
    lines.push(`${place === "" ? subject : place}: expected ${expected}, got ${got}`);
    yield;
  }
  return new FleetError("invalid_document", lines.join("\n"), { details: { problems: reported } });
}
function formatPath(path) {
  let text2 = "";
  for (const part of path) {
    if (typeof part === "number") text2 += `[${part}]`;
    else if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(part)) text2 += `[${quote(part)}]`;
    else text2 += text2 === "" ? part : `.${part}`;
  }
  return text2;
}
function describeFound(value, path) {
  if (value === void 0) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "string") return isPrivate(path) ? describeHidden(value) : quote(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
function describeHidden(text2) {
  return `a text of ${text2.length} characters`;
}
function quote(text2) {
  const shown = text2.length > 80 ? `${text2.slice(0, 80)}\u2026` : text2;
  return JSON.stringify(shown).replace(
    /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`
  );
}
var privateFields = /* @__PURE__ */ new Set([
  "url",
  "webhook_url",
  "endpoint_url",
  "url_ref",
  "webhook_url_ref",
  "webhook_ref",
  "url_secret_ref",
  "secret_ref",
  "secret",
  "webhook_secret",
  "signing_secret",
  "routing_key",
  "token_ref",
  "key_ref",
  "key",
  "allowed_secrets"
]);
function isPrivate(path) {
  return path.slice(-2).some((part) => privateFields.has(part));
}

// src/protocol/codec.ts
function contract(typeName, compose) {
  let composed;
  const schema = () => composed ??= compose();
  const read = (value) => readCopy(schema(), copyJson(value));
  return {
    typeName,
    get schema() {
      return schema();
    },
    read,
    parse(value) {
      const reading = read(value);
      if (!reading.ok) throw invalidDocument(typeName, reading.problems);
      return reading.value;
    },
    safeParse(value) {
      const reading = read(value);
      return reading.ok ? { success: true, data: reading.value } : { success: false, error: invalidDocument(typeName, reading.problems) };
    }
  };
}
function readCopy(schema, copy) {
  return allAtOnce(readingCopy(schema, copy));
}
function* readingCopy(schema, copy, standing = {}) {
  const result = schema.safeParse(copy.value, telling);
  const complaints = problemsOf(result.error, []).flatMap((problem) => standing[problem.expected] ?? problem);
  const problems = yield* mergingProblems(copy.problems, complaints);
  return problems.length > 0 || !result.success ? { ok: false, problems } : { ok: true, value: result.data };
}
function readPart(schema, part, path) {
  const result = schema.safeParse(part, telling);
  return result.success ? { ok: true, value: result.data } : { ok: false, problems: problemsOf(result.error, path) };
}
var telling = {
  reportInput: true,
  error: ({ message, ...issue }) => message ?? expectation(issue)
};
function problemsOf(error, path) {
  return (error?.issues ?? []).flatMap((issue) => fromIssue(issue, path));
}
function* mergingProblems(unreadable, complaints) {
  if (complaints.length === 0) return unreadable;
  const holes = new Set(unreadable.map(({ path }) => formatPath(path)));
  const problems = /* @__PURE__ */ new Map();
  for (const problem of complaints) {
    const place = formatPath(problem.path);
    if (!holes.has(place)) problems.set(`${place} ${problem.expected}`, problem);
    yield;
  }
  return [...unreadable, ...problems.values()];
}
function fromIssue(issue, outer) {
  const path = [...outer, ...issue.path.map((part) => typeof part === "symbol" ? String(part) : part)];
  if (issue.code === "invalid_union") {
    const inner = issue.errors.find((branch) => branch.some(({ path: inside }) => inside.length > 0));
    if (inner !== void 0) return inner.flatMap((nested) => fromIssue(nested, path));
    if (issue.discriminator !== void 0) {
      const tag = issue.discriminator;
      if (Array.isArray(issue.input)) return [{ path: path.slice(0, -1), expected: "an object", got: "a list" }];
      return [{ path, expected: issue.message, got: describeFound(memberOf(issue.input, tag), path) }];
    }
  }
  if (issue.code === "custom" && typeof issue.params?.["got"] === "string") {
    return [{ path, expected: issue.message, got: issue.params["got"] }];
  }
  return [{ path, expected: issue.message, got: describeFound(issue.input, path) }];
}
function memberOf(value, key) {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : void 0;
}
var typePhrases = {
  array: "a list",
  boolean: "true or false",
  nonoptional: "a value",
  number: "a finite number",
  object: "an object",
  record: "an object",
  string: "a string"
};
function expectation(issue) {
  if (issue.code === "invalid_type") return typePhrases[String(issue["expected"])] ?? "another type";
  if (issue.code === "invalid_value") return oneOf(issue["values"]);
  if (issue.code === "invalid_union") return oneOf(issue["options"]);
  return "a value that fits the contract";
}
function oneOf(values) {
  const words = Array.isArray(values) ? values.map(String) : [];
  return words.length === 1 ? `"${words[0]}"` : `one of ${words.join(", ")}`;
}

// src/protocol/field.ts
import { z } from "zod";

// src/protocol/timestamp.ts
var shape = /^\d{4}-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:[Zz]|[+-](\d{2}):(\d{2}))$/;
function canonicalTimestamp(text2) {
  const match = shape.exec(text2);
  if (match === null) return void 0;
  const [month, day, hour, minute, second, offsetHours, offsetMinutes] = match.slice(1).map((part) => Number(part ?? 0));
  const leap = second === 60;
  if (hour > 23 || minute > 59 || second > 59 && !leap || offsetHours > 23 || offsetMinutes > 59) return void 0;
  const date = /* @__PURE__ */ new Date(`${text2.slice(0, 10)}T00:00:00Z`);
  if (Number.isNaN(date.getTime()) || date.getUTCMonth() + 1 !== month || date.getUTCDate() !== day) return void 0;
  const fraction = /\.(\d{1,3})/.exec(text2)?.[1] ?? "";
  const sign = text2.at(-6) === "-" ? -1 : 1;
  const minutes = hour * 60 + minute - sign * (offsetHours * 60 + offsetMinutes);
  const moment = new Date(date.getTime() + minutes * 6e4 + second * 1e3 + Number(fraction.padEnd(3, "0")));
  return /^\d{4}-/.test(moment.toISOString()) ? moment.toISOString() : void 0;
}

// src/protocol/field.ts
function object(shape2) {
  return z.looseObject(shape2).overwrite(withoutAbsent);
}
function optional(schema) {
  return schema.nullable().transform((value) => value ?? void 0).optional();
}
function list(item) {
  return z.array(item).default([]);
}
function map(value) {
  return z.record(z.string(), value).default({});
}
var schemaNotes = z.registry();
function text(expected, fits) {
  return z.string({ error: expected }).refine(fits, { error: expected }).register(schemaNotes, { description: expected });
}
function hiddenText(expected, fits) {
  return z.string({ error: expected }).superRefine((value, context) => {
    if (!fits(value)) context.addIssue({ code: "custom", message: expected, params: { got: describeHidden(value) } });
  }).register(schemaNotes, { description: expected });
}
function pattern(expected, regex) {
  return z.string({ error: expected }).regex(regex, { error: expected });
}
function sized(item, bounds) {
  const { minItems = 0, maxItems = Infinity } = bounds;
  const message = maxItems === Infinity ? `a list of at least ${minItems}` : `a list of at most ${maxItems}`;
  return z.array(item).superRefine(({ length }, context) => {
    if (length >= minItems && length <= maxItems) return;
    context.addIssue({ code: "custom", message, params: { got: `a list of ${length}` } });
  }).register(schemaNotes, bounds);
}
function integer(from, to) {
  const error = `an integer from ${from} to ${to}`;
  return z.number({ error }).min(from, { error }).max(to, { error }).refine(Number.isInteger, { error }).register(schemaNotes, { type: "integer" });
}
var u16 = integer(0, 65535);
var u32 = integer(0, 4294967295);
var i32 = integer(-2147483648, 2147483647);
var u64 = integer(0, Number.MAX_SAFE_INTEGER);
var atLeastOne = integer(1, 4294967295);
var f64 = z.number();
var flag = z.boolean();
var filled = text("a non-blank string", isFilled);
var line = text("one non-blank line", (value) => isFilled(value) && isPrintable(value));
var displayName = text("a name of 1 to 256 bytes on one printable line", (value) => {
  return isFilled(value) && isPrintable(value) && (value.length <= 85 || new TextEncoder().encode(value).length <= 256);
});
var token = pattern('1 to 128 characters of A-Z a-z 0-9 . _ -, not "." or ".."', tokenPattern);
var filePath = text("a path without control characters", (value) => isFilled(value) && isPrintable(value));
var variableName = pattern("the name of an environment variable", /^[^\s=\0]+$/);
var timestamp = text("an RFC 3339 timestamp", (value) => canonicalTimestamp(value) !== void 0).overwrite((value) => canonicalTimestamp(value) ?? value).register(schemaNotes, { format: "date-time" });
var json = z.custom((value) => value !== void 0, { error: "a JSON value", abort: false });
function distinct(item) {
  return z.array(item).superRefine(
    (values, context) => {
      if (!Array.isArray(values)) return;
      const seen = /* @__PURE__ */ new Set();
      for (const [index, value] of values.entries()) {
        if (seen.has(value)) {
          const params = { got: `${describeFound(value, [])} again` };
          context.addIssue({ code: "custom", path: [index], message: "each item once", params });
        }
        seen.add(value);
      }
    },
    { when: () => true }
  ).default([]);
}
function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function isFilled(value) {
  return value.trim() !== "";
}
function isPrintable(value) {
  return !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(value);
}
function withoutAbsent(value) {
  for (const key in value) {
    if (value[key] === void 0) delete value[key];
  }
  return value;
}

// src/protocol/ids.ts
var FleetRunId = contract("FleetRunId", () => token.clone());

export {
  errorCodes,
  FleetError,
  allAtOnce,
  inSlices,
  invalidDocument,
  reportingInvalid,
  formatPath,
  describeFound,
  describeHidden,
  quote,
  reservedId,
  isToken,
  object,
  optional,
  list,
  map,
  text,
  hiddenText,
  pattern,
  sized,
  u16,
  u32,
  i32,
  u64,
  atLeastOne,
  f64,
  flag,
  filled,
  line,
  displayName,
  token,
  filePath,
  variableName,
  timestamp,
  json,
  distinct,
  isRecord,
  withoutAbsent,
  copyJson,
  copyingJson,
  contract,
  readCopy,
  readingCopy,
  readPart,
  mergingProblems,
  FleetRunId
};
