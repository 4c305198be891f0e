import { builtInRoles } from '../../src/security/built-in-profiles.ts'

/** The role presets that every fleet has. */
export function roleTable(): string {
  const rows = Object.entries(builtInRoles).map(([role, preset]) => {
    const { description = '', tool_profile, timeout_seconds, trust_level } = preset
    const cells = [tool_profile, timeout_seconds, trust_level].map((value) => (value == null ? '–' : `\`${value}\``))
    return `| \`${role}\` | ${description ?? ''} | ${cells.join(' | ')} |`
  })
  return ['| role | what | `tool_profile` | `timeout_seconds` | `trust_level` |', '|---|---|---|---|---|', ...rows].join('\n')
}
