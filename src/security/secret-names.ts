/** Variables that steer how programs are found, loaded or run: a secret of such a name would be more than a value. */
const steering =
  /^(?:FLOTILLA_.*|LD_.*|DYLD_.*|LC_.*|BASH_FUNC_.*|PATH|HOME|SHELL|USER|LOGNAME|PWD|OLDPWD|IFS|ENV|BASH_ENV|SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|CDPATH|LANG|LANGUAGE|TZ|TMPDIR|TMP|TEMP|NODE_OPTIONS|NODE_PATH|NODE_EXTRA_CA_CERTS|NODE_TLS_REJECT_UNAUTHORIZED|PYTHON(?:PATH|HOME|STARTUP|INSPECT|BREAKPOINT)|PERL5?(?:LIB|OPT|DB)|RUBY(?:LIB|OPT)|GEM_PATH|GEM_HOME|_?JAVA_(?:TOOL_)?OPTIONS|CLASSPATH|GIT_(?:SSH|SSH_COMMAND|EXTERNAL_DIFF|PAGER|EDITOR|EXEC_PATH|PROXY_COMMAND|ASKPASS|CONFIG.*)|SSH_ASKPASS|EDITOR|VISUAL|PAGER|BROWSER|GCONV_PATH|MALLOC_.*|GLIBC_TUNABLES|NLSPATH|HOSTALIASES|RES_OPTIONS|OPENSSL_CONF|SSL_CERT_(?:FILE|DIR)|(?:HTTPS?|ALL|NO|FTP)_PROXY|CC|CXX|MAKEFLAGS)$/i

/** Why a command cannot get a secret by its key as the name of an environment variable, as the end of a sentence; undefined when it can. */
export function variableProblem(key: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return 'cannot be the name of an environment variable'
  return steering.test(key) ? 'is a variable that programs and the fleet itself go by' : undefined
}
