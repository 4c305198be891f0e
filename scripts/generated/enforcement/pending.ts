/**
 * Fields of the contract that have no row yet, by what is missing. Whoever gives one a row takes it out: the test of the document holds
 * the list to exactly the fields without a row.
 */
export const pendingFields: Readonly<Record<string, readonly string[]>> = {
  'Verification: commands and prompts that check a result': namesOf(
    'FleetScorerSpec',
    'command command.command command.args code_whale_verifier_prompt code_whale_verifier_prompt.prompt',
  ),
  'Hosts: ssh, docker, and how workers prove who they are': [
    ...namesOf('FleetHostSpec', 'ssh ssh.host ssh.port ssh.user ssh.identity ssh.known_hosts ssh.host_key_fingerprint'),
    ...namesOf('FleetHostSpec', 'ssh.working_directory ssh.env_allowlist ssh.codewhale_binary ssh.command'),
    ...namesOf('FleetHostSpec', 'docker docker.image docker.args'),
    'FleetWorkerSpec.auth',
    ...namesOf('FleetWorkerAuth', 'none ssh_key ssh_key.identity ssh_key.known_hosts ssh_key.host_key_fingerprint ssh_key.user'),
    ...namesOf('FleetWorkerAuth', 'token token.token_ref mtls mtls.cert_path mtls.key_ref'),
  ],
}

function namesOf(type: string, names: string): string[] {
  return names.split(' ').map((name) => `${type}.${name}`)
}
