/**
 * Fields of the contract that have no row yet, by what is missing. Whoever gives one a row takes it out: the test of the document holds
 * the list to exactly the fields without a row.
 */
export const pendingFields: Readonly<Record<string, readonly string[]>> = {
  'Verification: commands and prompts that check a result': namesOf(
    'FleetScorerSpec',
    'command command.command command.args code_whale_verifier_prompt code_whale_verifier_prompt.prompt',
  ),
  'Profiles: what applied, and which model served an attempt': [
    'FleetTaskWorkerProfile.agent_profile',
    'FleetReceipt.resolved_route',
    ...namesOf('FleetEffectivePermissions', 'profile_id profile_origin'),
    ...namesOf(
      'FleetResolvedRoute',
      'provider_id provider_exact_id provider_kind canonical_model wire_model_id protocol role loadout',
    ),
    ...namesOf('FleetResolvedRoute', 'model_class model_route reasoning_effort role_source loadout_source model_class_source'),
    ...namesOf('FleetResolvedRoute', 'model_source source'),
  ],
}

function namesOf(type: string, names: string): string[] {
  return names.split(' ').map((name) => `${type}.${name}`)
}
