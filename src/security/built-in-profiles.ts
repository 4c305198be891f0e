import type { AgentProfileInput, RolePresetInput } from '../protocol/profile.ts'

/** The role presets that every fleet has; one of the same name that an application gives takes its place. */
export const builtInRoles: Readonly<Record<string, RolePresetInput>> = {
  'smoke-runner': {
    description: 'Runs quick checks and changes nothing.',
    tool_profile: 'read-only',
    timeout_seconds: 300,
    trust_level: 'local',
  },
  reviewer: {
    description: 'Reads and judges, and changes nothing.',
    tool_profile: 'read-only',
    timeout_seconds: 600,
  },
  builder: {
    description: 'Changes files.',
    tool_profile: 'read-write',
    timeout_seconds: 1_800,
    trust_level: 'local',
  },
  'read-only': {
    description: 'Looks without being able to do anything else: it runs in a sandbox, or not at all.',
    tool_profile: 'read-only',
    timeout_seconds: 300,
    trust_level: 'sandbox',
  },
}

/** The agent profiles that every fleet has: one for each role. */
export const builtInProfiles: Readonly<Record<string, AgentProfileInput>> = {
  'smoke-runner': { role: 'smoke-runner' },
  reviewer: { role: 'reviewer' },
  builder: { role: 'builder' },
  'read-only': { role: 'read-only' },
}
