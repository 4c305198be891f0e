import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seccompFilter } from '../../../src/security/seccomp/filter.ts'
import { runFilter } from '../../support/bpf-machine.ts'
import type { Verdict } from '../../support/bpf-machine.ts'

/** Written down a second time, from the kernel's own tables, so that a slip in the first is seen. */
const machines = {
  x64: {
    audit: 0xc000_003e,
    notPermitted: [
      101, 103, 133, 134, 139, 153, 154, 155, 156, 159, 161, 163, 164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 174, 175, 176,
      177, 178, 179, 180, 212, 227, 237, 238, 246, 248, 249, 250, 256, 259, 272, 279, 298, 300, 301, 303, 304, 305, 308, 310, 311,
      312, 313, 320, 321, 323, 428, 429, 430, 431, 432, 433, 438, 440, 442, 443, 448, 450,
    ],
    notImplemented: [29, 68, 319, 425, 426, 427, 435, 437, 447],
    socket: 41, socketpair: 53, clone: 56, ioctl: 16, personality: 135, openat: 257, chmods: [[90, 1], [91, 1], [268, 2], [452, 2], [85, 1]],
    openWithMode: 2,
  },
  arm64: {
    audit: 0xc000_00b7,
    notPermitted: [
      18, 33, 39, 40, 41, 42, 51, 58, 60, 89, 97, 104, 105, 106, 112, 116, 117, 142, 161, 162, 170, 171, 217, 218, 219,
      224, 225, 235, 237, 238, 239, 241, 262, 263, 264, 265, 266, 268, 270, 271, 272, 273, 280, 282, 294, 428, 429, 430, 431,
      432, 433, 438, 440, 442, 443, 448, 450,
    ],
    notImplemented: [186, 194, 279, 425, 426, 427, 435, 437, 447],
    socket: 198, socketpair: 199, clone: 220, ioctl: 29, personality: 92, openat: 56, chmods: [[52, 1], [53, 2], [452, 2]],
    openWithMode: undefined,
  },
} as const // prettier-ignore

type Name = keyof typeof machines
const names = ['x64', 'arm64'] as const
const newest = 462

const argument = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn })
const six = fc.array(argument, { minLength: 6, maxLength: 6 })
const low = (value: bigint | undefined) => Number((value ?? 0n) & 0xffff_ffffn)

/** What should become of a call, said in another way than the filter says it. */
function expected(name: Name, number: number, args: readonly bigint[]): Verdict {
  const machine = machines[name]
  const isIn = (list: readonly number[]) => list.includes(number)
  if (number > newest) return 'errno 38'
  if (isIn(machine.notPermitted)) return 'errno 1'
  if (isIn(machine.notImplemented)) return 'errno 38'
  if (number === machine.socket) return [2, 10].includes(low(args[0])) ? 'allow' : 'errno 97'
  if (number === machine.socketpair) return [1, 5].includes(low(args[1]) & 0xf) ? 'allow' : 'errno 1'
  if (number === machine.clone) return (low(args[0]) & 0x7e02_0000) === 0 ? 'allow' : 'errno 1'
  if (number === machine.ioctl) return [0x5412, 0x541c].includes(low(args[1])) ? 'errno 1' : 'allow'
  if (number === machine.personality) return [0, 0xffff_ffff].includes(low(args[0])) ? 'allow' : 'errno 1'
  const chmod = machine.chmods.find(([call]) => call === number)
  if (chmod !== undefined) return (low(args[chmod[1]]) & 0o6000) === 0 ? 'allow' : 'errno 1'
  const mode = number === machine.openat ? 3 : number === machine.openWithMode ? 2 : undefined
  if (mode !== undefined) {
    const creates = (low(args[mode - 1]) & 0o20_000_100) !== 0
    return creates && (low(args[mode]) & 0o6000) !== 0 ? 'errno 1' : 'allow'
  }
  return 'allow'
}

describe.each(names)('the filter for %s', (name) => {
  const program = seccompFilter(name)
  const { audit, ...machine } = machines[name]

  test('HO6 it is a program that the kernel takes: whole instructions, jumps inside of it, an answer at its end', () => {
    expect(program.byteLength % 8).toBe(0)
    const length = program.byteLength / 8
    expect(length).toBeLessThanOrEqual(4096)
    const view = new DataView(program.buffer)
    for (let at = 0; at < length; at += 1) {
      const isJump = (view.getUint16(at * 8, true) & 0x07) === 0x05
      if (!isJump) continue
      for (const offset of [view.getUint8(at * 8 + 2), view.getUint8(at * 8 + 3)]) expect(at + 1 + offset).toBeLessThan(length)
    }
    expect(view.getUint16((length - 1) * 8, true)).toBe(0x06)
  })

  test('HO6 for every number of a system call the answer is the expected one, whatever the arguments', () => {
    fc.assert(
      fc.property(six, (args) => {
        for (let number = 0; number <= newest + 40; number += 1)
          expect([number, runFilter(program, { number, architecture: audit, arguments: args })]).toEqual([
            number,
            expected(name, number, args),
          ])
      }),
      { numRuns: 25 },
    )
  })

  test('HO6 calls that are judged by an argument are judged by its low half alone, as the kernel reads it', () => {
    const judged = [machine.socket, machine.socketpair, machine.clone, machine.ioctl, machine.personality, machine.openat]
    const interesting = fc.constantFrom(
      ...[0n, 1n, 2n, 3n, 5n, 10n, 16n, 17n, 40n, 0x5412n, 0x541cn, 0xffff_ffffn, 0x1000_0000n, 0o100n, 0o4755n, 0o644n, 0o777n],
    )
    const withHighHalf = fc
      .tuple(interesting, fc.constantFrom(0n, 1n, 0xffff_ffffn))
      .map(([value, high]) => value | (high << 32n))
    fc.assert(
      fc.property(fc.constantFrom(...judged), fc.array(withHighHalf, { minLength: 6, maxLength: 6 }), (number, args) => {
        expect(runFilter(program, { number, architecture: audit, arguments: args })).toBe(expected(name, number, args))
      }),
      { numRuns: 2_000 },
    )
  })

  test('HO6 a call of another architecture kills the process, whatever it is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), fc.integer({ min: 0, max: 0xffff_ffff }), (architecture, number) => {
        fc.pre(architecture !== audit)
        expect(runFilter(program, { number, architecture })).toBe('kill')
      }),
    )
    // 32-bit programs of the same machine among them.
    for (const architecture of [0x4000_0003, 0x4000_0028, names[0] === name ? machines.arm64.audit : machines.x64.audit])
      expect(runFilter(program, { number: 1, architecture })).toBe('kill')
    expect(runFilter(program, { number: 1, architecture: audit })).toBe('allow')
  })

  test('HO6 x32 calls, calls newer than the tables, and the number -1 are refused as not implemented', () => {
    fc.assert(
      fc.property(fc.integer({ min: newest + 1, max: 0xffff_ffff }), (number) => {
        expect(runFilter(program, { number, architecture: audit })).toBe('errno 38')
      }),
    )
    for (const number of [0x4000_0000, 0x4000_0029, 0xffff_ffff])
      expect(runFilter(program, { number, architecture: audit })).toBe('errno 38')
  })
})
