import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seccompFilter } from '../../../src/security/seccomp/filter.ts'
import { type SeccompProfile, seccompProfile } from '../../../src/security/seccomp/profile.ts'
import { judgedCalls, refusedCalls } from '../../../src/security/seccomp/system-calls.ts'
import { runFilter } from '../../support/bpf-machine.ts'

const numbers = new Map<string, readonly [number, number | 'none']>([
  ...refusedCalls.flatMap(({ calls }) => Object.entries(calls)),
  ...Object.entries(judgedCalls).map(([name, call]) => [name, call.numbers] as const),
  // The positive control: calls that nobody refuses.
  ...Object.entries({ read: [0, 63], write: [1, 64], mmap: [9, 222], execve: [59, 221] } as const),
])

/** What a runtime's library makes of a profile: any rule that holds refuses. */
function judged({ syscalls }: SeccompProfile, name: string, args: readonly bigint[]): string {
  const rule = syscalls.find(
    ({ names, args: conditions }) =>
      names.includes(name) &&
      conditions.every(({ index, value, valueTwo }) => ((args[index] ?? 0n) & BigInt(value)) === BigInt(valueTwo)),
  )
  return rule === undefined ? 'allow' : `errno ${rule.errnoRet}`
}

const argument = fc.oneof(
  fc.bigInt({ min: 0n, max: 0xffff_ffffn }),
  fc.constantFrom(0n, 1n, 2n, 5n, 10n, 16n, 0x5412n, 0x541cn, 0xffff_ffffn, 0o100n, 0o4755n, 0o2000n, 0x1000_0000n),
)

test('HO6 the profile for container runtimes refuses what the filter of a sandbox refuses, and allows the rest', () => {
  const profile = seccompProfile()
  const filters = { x64: seccompFilter('x64'), arm64: seccompFilter('arm64') } as const
  fc.assert(
    fc.property(
      fc.constantFrom(...numbers.keys()),
      fc.constantFrom('x64', 'arm64'),
      fc.array(argument, { minLength: 6, maxLength: 6 }),
      (name, machine, args) => {
        const number = numbers.get(name)![machine === 'x64' ? 0 : 1]
        if (number === 'none') return
        const architecture = machine === 'x64' ? 0xc000_003e : 0xc000_00b7
        const verdict = runFilter(filters[machine], { number, architecture, arguments: args })
        expect(judged(profile, name, args), `${name} ${args.join(' ')}`).toBe(verdict)
      },
    ),
    { numRuns: 20_000 },
  )
  const names = profile.syscalls.flatMap(({ names: some }) => some)
  expect(new Set(names).size).toBe(numbers.size - 4)
})

test('HO6 no rule of the profile asks twice for one argument, which runtimes refuse', () => {
  for (const { args } of seccompProfile().syscalls) expect(new Set(args.map(({ index }) => index)).size).toBe(args.length)
})
