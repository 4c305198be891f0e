/**
 * Fields of the contract that have no row yet, by what is missing. Whoever gives one a row takes it out: the test of the document holds
 * the list to exactly the fields without a row.
 */
export const pendingFields: Readonly<Record<string, readonly string[]>> = {
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
