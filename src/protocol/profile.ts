import { z } from 'zod'
import { contract, type InputOf, type ValueOf } from './codec.ts'
import { atLeastOne, distinct, field, filled, optional, text, token, withoutAbsent } from './field.ts'
import { routeText } from './route.ts'
import { FleetTrustLevel } from './security.ts'
import { modelId } from './task.ts'

const mostInstructions = 4_000

const guidance = field(() =>
  text(
    `a non-blank string of at most ${mostInstructions} characters`,
    (value) => value.trim() !== '' && value.length <= mostInstructions,
  ),
)

/** What both hold. Nothing in it can add to what a run's security policy allows. */
const settings = () => ({
  loadout: optional(token().pipe(routeText())),
  model_class: optional(token().pipe(routeText())),
  model: optional(modelId().pipe(routeText())),
  tool_profile: optional(filled()),
  /** A bound: a task, or a profile of the role, that names others is refused. Empty: it says nothing of tools. */
  tools: distinct(filled()),
  capabilities: distinct(filled()),
  /** How to work, besides what the task says. */
  instructions: optional(guidance()),
  /** The highest level that the work runs at; it raises none (SE1). */
  trust_level: optional(FleetTrustLevel.schema),
  timeout_seconds: optional(atLeastOne()),
})

const described = () => ({ description: optional(z.string()) })

/** What every task of a role gets that says nothing else. */
export const RolePreset = contract('RolePreset', () => known({ ...described(), ...settings() }))
export type RolePreset = ValueOf<typeof RolePreset>
export type RolePresetInput = InputOf<typeof RolePreset>

/** An agent by name: its role, and what its tasks get that say nothing else. */
export const AgentProfile = contract('AgentProfile', () =>
  known({ ...described(), role: optional(token().pipe(routeText())), ...settings() }),
)
export type AgentProfile = ValueOf<typeof AgentProfile>
export type AgentProfileInput = InputOf<typeof AgentProfile>

/** An object of these fields alone: a misspelt bound would bind nothing, and what grants belongs in the policy of a run. */
function known<Shape extends z.ZodRawShape>(shape: Shape) {
  const names = Object.keys(shape)
  return z
    .looseObject(shape)
    .superRefine(
      (value, context) => {
        if (typeof value !== 'object' || value === null) return
        for (const name of Object.keys(value)) {
          if (names.includes(name)) continue
          const message = `nothing: there are ${names.join(', ')}, and what a run may do stands in its security_policy`
          context.addIssue({ code: 'custom', path: [name], message, params: { got: 'a field' } })
        }
      },
      { when: () => true },
    )
    .overwrite(withoutAbsent)
}
