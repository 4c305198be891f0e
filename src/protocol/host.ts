import { z } from 'zod'
import { alsoRead } from './alias.ts'
import { contract, type ValueOf } from './codec.ts'
import { field, filePath, line, list, object, optional, sized, text, u16, variableName } from './field.ts'

/** A word that a program cannot take for an option (SE6). */
const address = field(() => text('one word that does not begin with "-"', (value) => /^[^\s\p{Cc}-][^\s\p{Cc}]*$/u.test(value)))

const host = () =>
  z.discriminatedUnion('kind', [
    object({ kind: z.literal('local') }),
    object({
      kind: z.literal('ssh'),
      host: address(),
      port: optional(u16()),
      user: optional(address()),
      identity: optional(filePath()),
      known_hosts: optional(filePath()),
      /** Pins the host's key: `SHA256:…` (HO5). */
      host_key_fingerprint: optional(line()),
      working_directory: optional(filePath()),
      env_allowlist: list(variableName()),
      codewhale_binary: optional(line()),
      /** The worker program on the host, as argv; it wins over `codewhale_binary`. */
      command: sized(line(), { minItems: 1 }).optional(),
    }),
    object({ kind: z.literal('docker'), image: address(), args: list(z.string()) }),
  ])

/** The machine that a worker runs on; `kind` tells how it is reached (HO2). */
export const FleetHostSpec = contract('FleetHostSpec', () =>
  alsoRead(host(), { container: 'docker', Container: 'docker' }, 'kind'),
)
export type FleetHostSpec = ValueOf<typeof FleetHostSpec>
