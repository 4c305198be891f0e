/**
 * Fields of the contract that have no row yet, by what is missing. Whoever gives one a row takes it out: the test of the document holds
 * the list to exactly the fields without a row.
 */
export const pendingFields: Readonly<Record<string, readonly string[]>> = {
  'Verification: commands and prompts that check a result': namesOf(
    'FleetScorerSpec',
    'command command.command command.args code_whale_verifier_prompt code_whale_verifier_prompt.prompt',
  ),
}

function namesOf(type: string, names: string): string[] {
  return names.split(' ').map((name) => `${type}.${name}`)
}
