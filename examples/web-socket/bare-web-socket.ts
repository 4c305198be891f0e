// The few pieces of RFC 6455 that the example needs: whole text messages. A program of your own takes a library, or the `WebSocket` of its platform.
import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

/** The part of a WebSocket that both ends use here; the standard one, and that of `ws`, have it too. */
export interface BareWebSocket {
  send(text: string): void
  close(code: number, reason: string): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { readonly reason: string }) => void): void
}

/** Answers a request to upgrade. */
export function acceptWebSocket({ headers }: IncomingMessage, socket: Duplex): BareWebSocket {
  const accept = proofOf(headers['sec-websocket-key'] ?? '')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
  )
  return overStream(socket, false)
}

/** Connects, as a client. */
export function openWebSocket(url: string): Promise<BareWebSocket> {
  const key = randomBytes(16).toString('base64')
  const headers = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13', 'sec-websocket-key': key }
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers })
    asked.on('upgrade', (_, socket) => resolve(overStream(socket, true)))
    asked.on('response', ({ statusCode }) => reject(new Error(`The server answered ${statusCode}.`)))
    asked.on('error', reject)
    asked.end()
  })
}

function overStream(socket: Duplex, isClient: boolean): BareWebSocket {
  const heard: ((event: { readonly data: unknown }) => void)[] = []
  const closed: ((event: { readonly reason: string }) => void)[] = []
  let rest: Buffer = Buffer.alloc(0)
  let reason = 'the connection broke off'

  socket.on('data', (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes])
    for (let frame = frameIn(rest); frame !== undefined; frame = frameIn(rest)) {
      rest = rest.subarray(frame.size)
      if (frame.opcode === 1) for (const listener of heard) listener({ data: frame.payload.toString('utf8') })
      if (frame.opcode === 8) {
        reason = frame.payload.subarray(2).toString('utf8')
        socket.end()
      }
    }
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => closed.forEach((listener) => listener({ reason })))
  return {
    send: (text) => void socket.write(frameOf(1, Buffer.from(text), isClient)),
    close: (code, why) => void socket.end(frameOf(8, Buffer.from([code >> 8, code & 255, ...Buffer.from(why)]), isClient)),
    addEventListener(type: 'message' | 'close', listener: never) {
      if (type === 'message') heard.push(listener)
      else closed.push(listener)
    },
  }
}

/** The first whole frame of some bytes. */
function frameIn(bytes: Buffer): { readonly opcode: number; readonly payload: Buffer; readonly size: number } | undefined {
  if (bytes.length < 2) return undefined
  const short = bytes[1]! & 127
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0
  const isMasked = bytes[1]! > 127
  const start = 2 + lengthBytes + (isMasked ? 4 : 0)
  if (bytes.length < start) return undefined
  const length = lengthBytes === 0 ? short : lengthBytes === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  if (bytes.length < start + length) return undefined
  const payload = Buffer.from(bytes.subarray(start, start + length))
  if (isMasked) for (let at = 0; at < length; at += 1) payload[at]! ^= bytes[start - 4 + (at % 4)]!
  return { opcode: bytes[0]! & 15, payload, size: start + length }
}

/** Clients mask what they send. */
function frameOf(opcode: number, payload: Buffer, isMasked: boolean): Buffer {
  const { length } = payload
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
  head[0] = 128 + opcode
  head[1] = (isMasked ? 128 : 0) + (length < 126 ? length : length < 65_536 ? 126 : 127)
  if (length >= 65_536) head.writeBigUInt64BE(BigInt(length), 2)
  else if (length >= 126) head.writeUInt16BE(length, 2)
  if (!isMasked) return Buffer.concat([head, payload])
  const mask = randomBytes(4)
  return Buffer.concat([head, mask, payload.map((byte, at) => byte ^ mask[at % 4]!)])
}

function proofOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}
