import {
  isLoopback
} from "./chunk-FVP2FVGK.js";
import {
  joinSignals
} from "./chunk-PCEBIWVM.js";
import {
  __callDispose,
  __using
} from "./chunk-RFYV5G4X.js";

// src/alerts/http-sender.ts
import { lookup } from "node:dns/promises";
import { request as httpRequest } from "node:http";
import { connect as connectPlain, isIP } from "node:net";
import { connect as connectSecure } from "node:tls";

// src/alerts/retry-after.ts
function retryAfterMs(value, receiverDate) {
  if (value === void 0) return void 0;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1e3;
  const [until, from] = [moment(value), moment(receiverDate)];
  return Number.isNaN(until) || Number.isNaN(from) ? void 0 : Math.max(0, until - from);
}
function moment(text = "") {
  return /^\w{3}, .* GMT$/.test(text.trim()) ? Date.parse(text) : Number.NaN;
}

// src/alerts/http-sender.ts
var defaultTimeoutMs = 1e4;
var mostOfAnswer = 16 * 1024;
function createHttpSender(options) {
  const { clock, timeoutMs = defaultTimeoutMs } = options;
  return async (request, { signal }) => {
    const over = new AbortController();
    const late = new AbortController();
    void clock.sleep(timeoutMs, { signal: over.signal, keepAlive: false }).then(() => late.abort());
    try {
      var _stack = [];
      try {
        const either = __using(_stack, joinSignals([signal, late.signal]));
        return await send(request, options, either.signal);
      } catch (_) {
        var _error = _, _hasError = true;
      } finally {
        __callDispose(_stack, _error, _hasError);
      }
    } catch (error) {
      if (error instanceof Refusal) return { delivered: false, reason: error.message, final: true };
      const isLate = late.signal.aborted && !signal.aborted;
      return failed(isLate ? `it took longer than ${timeoutMs / 1e3} s` : reasonOf(error));
    } finally {
      over.abort();
    }
  };
}
var Refusal = class extends Error {
};
async function send(request, options, signal) {
  const url = URL.canParse(request.url) ? new URL(request.url) : void 0;
  if (url === void 0) throw new Refusal("the address is no URL");
  if (url.protocol !== "https:" && !(options.allowHttp === true && url.protocol === "http:"))
    throw new Refusal("the address is not https");
  const host = hostOf(url);
  const addresses = await aborting(addressesOf(host, options), signal);
  checkAll(addresses, url, options);
  let last;
  for (const address of addresses) {
    try {
      return outcomeOf(await post(request, { url, host, address }, options, signal));
    } catch (error) {
      if (!(error instanceof NotConnected) || signal.aborted) throw error;
      last = error.cause;
    }
  }
  throw last;
}
function hostOf({ hostname }) {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}
async function addressesOf(host, { resolve = platformAddresses }) {
  if (isIP(host) !== 0) return [host];
  const addresses = await resolve(host);
  if (addresses.length === 0) throw new Error("its name has no address");
  return addresses;
}
async function platformAddresses(host) {
  return (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);
}
function checkAll(addresses, url, { policy }) {
  const refused = addresses.some((address) => !policy.isAllowed(address));
  if (refused) throw new Refusal("the address is not one of the public internet; alerts.allowPrivateAddresses would allow it");
  if (url.protocol === "http:" && !addresses.every(isLoopback)) throw new Refusal("plain http is for loopback addresses only");
}
var NotConnected = class extends Error {
};
function post({ headers, body }, { url, host, address }, options, signal) {
  return new Promise((resolve, reject) => {
    const { dial = platformDial, policy } = options;
    const secure = url.protocol === "https:";
    const port = url.port === "" ? secure ? 443 : 80 : Number(url.port);
    let isConnected = false;
    const fail = (cause) => reject(isConnected ? asError(cause) : new NotConnected("not connected", { cause }));
    const socket = dial({ address, port, secure, host, ca: options.ca });
    socket.once(secure ? "secureConnect" : "connect", () => {
      if (socket.remoteAddress !== void 0 && !policy.isAllowed(socket.remoteAddress))
        socket.destroy(new Error("it led elsewhere"));
      else isConnected = true;
    });
    const asked = {
      method: "POST",
      path: `${url.pathname}${url.search}`,
      headers: { ...headers, host: url.host, "content-length": Buffer.byteLength(body), connection: "close", ...basic(url) },
      createConnection: () => socket,
      signal
    };
    const sent = httpRequest(asked, (answer) => {
      let read = 0;
      answer.on("data", (chunk) => {
        read += chunk.length;
        if (read > mostOfAnswer) answer.destroy();
      });
      answer.once("close", () => socket.destroy());
      resolve(answer);
    });
    sent.once("error", fail);
    sent.end(body);
  });
}
function platformDial({ address, port, secure, host, ca }) {
  if (!secure) return connectPlain({ host: address, port });
  const name = host.replace(/\.$/, "");
  return connectSecure({
    host: address,
    port,
    // An address has no name to ask for; its certificate is held against the address.
    ...isIP(host) === 0 && { servername: name },
    ...ca !== void 0 && { ca },
    ALPNProtocols: ["http/1.1"]
  });
}
function basic({ username, password }) {
  if (username === "" && password === "") return {};
  const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(plain).toString("base64")}` };
}
function outcomeOf({ statusCode = 0, headers }) {
  if (statusCode >= 200 && statusCode < 300) return { delivered: true };
  if (statusCode >= 300 && statusCode < 400) return failed(`the receiver redirects (${statusCode}), which is not followed`);
  const later = retryAfterMs(headers["retry-after"], headers.date);
  return {
    ...failed(`the receiver answered ${statusCode}`),
    // Gone is for good.
    ...statusCode === 410 && { final: true },
    ...later !== void 0 && { retryAfterMs: later }
  };
}
function failed(reason) {
  return { delivered: false, reason };
}
async function aborting(work, signal) {
  if (signal.aborted) throw asError(signal.reason);
  let stop = () => void 0;
  const aborted = new Promise((_, reject) => stop = () => reject(asError(signal.reason)));
  signal.addEventListener("abort", stop);
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
function asError(value) {
  return value instanceof Error ? value : new Error(String(value));
}
function reasonOf(error) {
  const { code } = error;
  if (code === void 0) return error instanceof Error ? error.message : String(error);
  return `the receiver could not be reached (${code})`;
}
export {
  createHttpSender
};
