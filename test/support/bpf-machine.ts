/** What the kernel shows to a seccomp filter. */
export interface SystemCall {
  readonly number: number
  readonly architecture: number
  /** Six unsigned 64-bit arguments; what is left out is 0. */
  readonly arguments?: readonly bigint[]
}

/** What a filter answers, in words. */
export type Verdict = 'allow' | 'kill' | `errno ${number}`

/** Runs a seccomp filter as the kernel would: 8-byte instructions of classic BPF over `struct seccomp_data`. Rejects what the kernel rejects. */
export function runFilter(program: Uint8Array, call: SystemCall): Verdict {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength)
  const data = dataOf(call)
  const length = program.byteLength / 8
  let accumulator = 0
  for (let at = 0; at < length; at += 1) {
    const [operation, then, otherwise, k] = [
      code.getUint16(at * 8, true),
      code.getUint8(at * 8 + 2),
      code.getUint8(at * 8 + 3),
      code.getUint32(at * 8 + 4, true),
    ]
    if (operation === 0x20) accumulator = data.getUint32(k, true)
    else if (operation === 0x54) accumulator = (accumulator & k) >>> 0
    else if (operation === 0x15) at += accumulator === k ? then : otherwise
    else if (operation === 0x25) at += accumulator > k ? then : otherwise
    else if (operation === 0x06) return wordOf(k)
    else throw new Error(`Instruction ${at} has the operation ${operation}, which this machine does not know.`)
  }
  throw new Error('The program ran past its end.')
}

function dataOf({ number, architecture, arguments: given = [] }: SystemCall): DataView {
  const data = new DataView(new ArrayBuffer(64))
  data.setUint32(0, number, true)
  data.setUint32(4, architecture, true)
  for (const [index, value] of given.entries()) data.setBigUint64(16 + 8 * index, value, true)
  return data
}

function wordOf(answer: number): Verdict {
  const action = (answer & 0xffff_0000) >>> 0
  if (action === 0x7fff_0000) return 'allow'
  if (action === 0x8000_0000) return 'kill'
  if (action === 0x0005_0000) return `errno ${answer & 0xffff}`
  throw new Error(`The filter answered ${answer.toString(16)}, which is no action that it should know.`)
}
