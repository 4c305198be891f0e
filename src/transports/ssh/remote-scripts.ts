// The scripts that the fleet runs at the other side of ssh (`remoteShell`), in the words of POSIX sh. What is not POSIX (`setsid`, /proc) is
// used where it is there. `mark` begins each line that they say to the fleet; it is no secret, but nothing else writes it.

/** Descriptor 3 is what the fleet sends; everything of ours lies in one private folder of the user. */
const beginning = `umask 077
exec 3<&0 0</dev/null
trap : PIPE HUP
say() { printf '%s %s\\n' "$mark" "$*"; }
home=\${TMPDIR:-/tmp}/flotilla-$(id -u)
mkdir -p "$home" 2>/dev/null
[ -d "$home" ] && [ -O "$home" ] && [ ! -h "$home" ] && chmod 700 "$home" || { say refused no_home; exit 0; }

# Marks are of one length, so that none begins another.
# Kills every process that a command finds, again and again until it finds none. Only Linux tells what processes have.
sweep() {
  tries=0
  while found=$("$@"); [ -n "$found" ]; do
    [ "$tries" -lt 50 ] || return 1
    for file in $found; do
      pid=\${file#/proc/}
      kill -s KILL "\${pid%/environ}" 2>/dev/null
    done
    tries=$((tries + 1))
    sleep 0.1 2>/dev/null || sleep 1
  done
}
carriers() { grep -lsF -- "FLOTILLA_MARK=$program" /proc/[0-9]*/environ; }
# What earlier incarnations of the worker left.
leftovers() {
  grep -lsF -- "FLOTILLA_MARK=$owner-" /proc/[0-9]*/environ | while read -r file; do
    grep -qsF -- "FLOTILLA_MARK=$owner-$incarnation-" "$file" || echo "$file"
  done
}
`

/**
 * Opens the connection of a worker: looks whether the host has what is needed, ends what earlier incarnations of the worker left, and stays
 * until its standard input ends. Variables: `mark`, `owner`, `incarnation`.
 */
export const anchorScript = `${beginning}
for tool in dd mkfifo tar grep find wc head; do
  command -v "$tool" >/dev/null 2>&1 || { say refused no_tool "$tool"; exit 0; }
done
sweep leftovers || { say refused unkillable; exit 0; }
find "$home" -mindepth 1 -maxdepth 1 -mtime +1 -exec rm -rf {} + 2>/dev/null
say ready
exec cat <&3 >/dev/null
`

/** Ends all that is left of one attempt, and removes its folder. Variables: `mark`, `program`, `name`. */
export const sweepScript = `${beginning}
sweep carriers || { say refused unkillable; exit 0; }
rm -rf "$home/$name"
say swept
`

/**
 * A program as the leader of its own group. Its streams are copied by processes of ours: whatever holds them open when it has ended holds
 * neither the connection nor us. Variables: `grace`, `drain` (seconds), `program` (the mark that it carries).
 */
const supervision = `
# It carries the mark too, so that the sweep at the end takes along the naps of jobs that were ended.
nap() { FLOTILLA_MARK=$program sleep "$1" 3<&-; }
# Before the program leads a group there is only itself.
signal() { kill -s "$1" -- "-$leader" 2>/dev/null || kill -s "$1" "$leader" 2>/dev/null; }
# Nobody is there any more.
give_up() { signal TERM; nap "$grace"; signal KILL; }
lead=
if command -v setsid >/dev/null 2>&1; then lead=setsid; else set -m; fi
# The copy of the output holds $1 open as long as the output is.
copy_output() {
  cat <"$folder/.out" 3<&- 4>"$1" & out=$!
  cat <"$folder/.err" >&2 3<&- & err=$!
}
# After the program: what is left of its group, and its output, get a moment.
stragglers() { nap "$drain"; kill -s KILL -- "-$leader" 2>/dev/null; nap 1; kill "$out" "$err" 2>/dev/null; }
await_end() {
  while wait "$leader"; code=$?; kill -s 0 "$leader" 2>/dev/null; do :; done
  for job in $jobs; do kill "$job" 2>/dev/null; wait "$job"; done
  stragglers >/dev/null 3<&- & straggling=$!
  wait "$out"; wait "$err"
  kill "$straggling" 2>/dev/null; wait "$straggling"
  kill -s KILL -- "-$leader" 2>/dev/null
  sweep carriers
}
`

/**
 * Runs a worker program on this connection. When the fleet's side ends, so does its standard input; what has not ended after the grace is
 * killed. It says `started`, and nothing after that. Variables besides: `name`, `dir`, `owner`, `incarnation`.
 */
export const workerScript = `${beginning}${supervision}
stop() { echo "flotilla: $1" >&2; cd /; rm -rf "$folder"; exit 127; }
folder=$home/$name
sweep leftovers || stop 'something of an earlier start does not die'
mkdir "$folder" && cd -- "$folder" && mkfifo .in .out .err .gone .quiet || stop 'there is no room for pipes'
cd -- "\${dir:-\${HOME:-/}}" || stop 'there is no such working directory'
command -v -- "$1" >/dev/null 2>&1 || stop 'there is no such worker program'
say started
copy_output "$folder/.quiet"
( environment; unset OLDPWD; exec $lead "$@" ) <"$folder/.in" >"$folder/.out" 2>"$folder/.err" 3<&- & leader=$!
cat <&3 >"$folder/.in" 4>"$folder/.gone" & pump=$!
exec 2>/dev/null
# Nothing is ever written to these: one ends with what the fleet says, the other with what the program says.
hear() { read -r _; nap "$1"; give_up; }
hear "$grace" <"$folder/.gone" >/dev/null 3<&- & listener=$!
hear 1 <"$folder/.quiet" >/dev/null 3<&- & watcher=$!
jobs="$pump $listener $watcher"
await_end
cd /
rm -rf "$folder"
exit "$code"
`

/**
 * Runs one command in the folder of its attempt and says how it ended. The fleet sends, after the script: the staged files as a tar archive,
 * the input, and then lines: `beat`, `term`, `kill`. Silence is taken for its end. Variables besides: `name`, `fresh`, `dir`, `sub`,
 * `staged`, `given` (bytes), `input` (a file name), `silence` (seconds), `evidence` (a path), `most` (KiB), `keep`.
 *
 * It says `refused CODE`, or `started` (on both streams), `ended EXIT_CODE EVIDENCE NOTE`, and after that line sends what the command left as a
 * tar archive.
 */
export const commandScript = `${beginning}${supervision}
fail() { say refused "$1"; cd /; [ -z "$fresh" ] || rm -rf "$folder"; exit 0; }
# So many bytes of what the fleet sends, into a file; dd may get fewer at a time, but takes none too many.
receive() {
  : >"$2"
  got=0
  while [ "$got" -lt "$1" ]; do
    left=$(($1 - got))
    dd bs=$((left < 65536 ? left : 65536)) count=1 <&3 >>"$2" 2>/dev/null
    now=$(($(wc -c <"$2")))
    [ "$now" -gt "$got" ] || fail not_received
    got=$now
  done
}
inside() { case $2/ in "\${1%/}"/*) ;; *) return 1 ;; esac; }
# What the file that the scorer reads is like (VE2); at most so much of it that too much can be told.
look_at_evidence() {
  [ -e "$1" ] || { seen=missing; return; }
  real=$(readlink -f -- "$1" 2>/dev/null) && inside "$root" "$real" || { seen=refused; return; }
  [ -f "$real" ] || { seen=no_file; return; }
  head -c 1000001 <"$real" >"$folder/evidence" && seen=file || seen=refused
}

folder=$home/$name
if [ -n "$fresh" ]; then
  rm -rf "$folder"
  mkdir "$folder" "$folder/artifacts" || fail no_folder
else
  [ -d "$folder" ] || fail folder_gone
fi
if [ -n "$fresh" ]; then
  top=$dir
  if [ -z "$dir" ]; then
    top=$folder/root
    mkdir -p -- "$top/$sub" || fail no_folder
  fi
  top=$(cd -P -- "$top" 2>/dev/null && pwd -P) || fail no_directory
  root=$(cd -P -- "$top/$sub" 2>/dev/null && pwd -P) || fail no_root
  inside "$top" "$root" || fail root_outside
  printf '%s\\n' "$root" >"$folder/.root" || fail no_folder
else
  read -r root <"$folder/.root" || fail folder_gone
fi
cd -- "$root" || fail no_root
if [ "$staged" -gt 0 ]; then
  receive "$staged" "$folder/.staged"
  tar -xof "$folder/.staged" || fail not_staged
  rm -f "$folder/.staged"
fi
receive "$given" "$folder/$input"
command -v -- "$1" >/dev/null 2>&1 || fail no_program
rm -f "$folder/.out" "$folder/.err"
mkfifo "$folder/.out" "$folder/.err" || fail no_folder
# Ahead of everything that the program writes, on both streams.
say started
say started >&2
copy_output /dev/null
(
  environment
  unset OLDPWD
  export FLOTILLA_FOLDER="$folder" FLOTILLA_ARTIFACTS="$folder/artifacts" FLOTILLA_INPUT="$folder/$input"
  exec $lead "$@"
) </dev/null >"$folder/.out" 2>"$folder/.err" 3<&- & leader=$!
exec 2>/dev/null
hear() {
  while read -r word; do
    case $word in
      beat) : >"$folder/.beat" ;;
      term) signal TERM ;;
      kill) signal KILL ;;
    esac
  done
  give_up
}
hear <&3 >/dev/null & listener=$!
watch() { while nap "$silence"; do rm "$folder/.beat" 2>/dev/null || { give_up; return; }; done; }
watch >/dev/null 3<&- & watcher=$!
jobs="$listener $watcher"
await_end

seen=none
[ -z "$evidence" ] || look_at_evidence "$root/$evidence"
cd -- "$folder" || exit 1
note=whole
set --
if [ -n "$fresh" ]; then
  if [ -n "$(ls -A artifacts 2>/dev/null)" ]; then
    if [ "$(du -sk artifacts | cut -f 1)" -le "$most" ]; then set -- artifacts; else note=too_much; fi
  fi
  if [ -e output.json ] || [ -h output.json ]; then set -- "$@" output.json; fi
  if [ "$seen" = file ]; then set -- "$@" evidence; fi
fi
say ended "$code" "$seen" "$note"
[ $# -eq 0 ] || tar -cf - "$@"
cd /
if [ -z "$keep" ] || [ "$code" -ne 0 ]; then rm -rf "$folder"; fi
exit 0
`
