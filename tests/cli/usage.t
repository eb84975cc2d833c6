#!/bin/sh
# The command line: help, options in every place, mistakes, output that fails.
. "$(dirname "$0")/lib.sh"

commands="init keygen check doctor plan publish status build show prune rollback \
withdraw verify unpack"
one=$vectors/good/one.otab
pub=$vectors/release.pub

# Help.
run 2 "alone: examples" ota-pack
says out "ota-pack init "
silent err
head -n 3 .out | grep -q "ota-pack init"
ok $? "examples come first"
run 0 "-h" ota-pack -h
says out "usage: ota-pack [OPTION]... COMMAND [ARGUMENT]..."
run 0 "help" ota-pack help
says out "usage: ota-pack [OPTION]... COMMAND [ARGUMENT]..."
for group in 'To start:' 'Day by day:' 'To repair and look closer:'; do
    grep -qx "$group" .out
    ok $? "a group of commands: $group"
done
# shellcheck disable=SC2086
[ "$(sed -n 's/^  \([a-z]*\)  *[a-z].*/\1/p' .out | head -n 14 | tr '\n' ' ')" = \
    "$(printf '%s ' $commands)" ]
ok $? 'every command is in one of them'
for command in $commands; do
    run 0 "help $command" ota-pack help "$command"
    says out "usage: ota-pack $command"
    cp .out help
    run 0 "$command -h" ota-pack "$command" -h
    cmp -s help .out
    ok $? "$command -h is help $command"
    tail -n 3 .out >.tail
    [ "$(head -n 1 .tail)" = Examples: ] &&
        [ "$(grep -c "^  ota-pack $command" .tail)" -eq 2 ]
    ok $? "it ends with two examples"
    ! grep -q '.\{81\}' .out
    ok $? 'in 80 columns'
done
run 0 "--help among operands" ota-pack verify x --help y
says out "usage: ota-pack verify"
run 0 "--version" ota-pack --version
grep -q '^ota-pack [0-9]' .out
ok $? "a version number"
run 0 "--version after a command" ota-pack status --version
run 0 "--json --help: no summary" ota-pack --json --help
! grep -q '"type"' .out
ok $? "help is text"

# Unknown words, each with the nearest known one.
run 2 "unknown command" ota-pack publissh
says err "ota-pack: unknown command 'publissh' (did you mean 'publish'?)"
silent out
run 2 "nothing like a command" ota-pack zzzzzzzz
says err "ota-pack: unknown command 'zzzzzzzz': see 'ota-pack -h'"
run 2 "help of an unknown command" ota-pack help veryfi
says err "ota-pack: unknown command 'veryfi' (did you mean 'verify'?)"
run 2 "options without a command" ota-pack -q
says err "ota-pack: no command was given: see 'ota-pack -h'"
run 2 "unknown long option" ota-pack --dryrun plan
says err "ota-pack: unknown option '--dryrun' (did you mean '--dry-run'?)"
run 2 "unknown long option of a command" ota-pack verify --devise=x
says err "ota-pack: unknown option '--devise' (did you mean '--device'?)"
run 2 "nothing like an option" ota-pack verify --zzzzzzzz
says err "ota-pack: unknown option '--zzzzzzzz': see 'ota-pack verify -h'"
run 2 "unknown letter" ota-pack verify -qZ
says err "ota-pack: unknown option '-Z': see 'ota-pack verify -h'"
run 2 "a letter that is none" ota-pack "-$(printf '\001')"
says err "ota-pack: unknown option '-\x01': see 'ota-pack -h'"
run 2 "ambiguous short form" ota-pack verify --dev x
says err "option '--dev' is ambiguous: see 'ota-pack verify -h'"
run 2 "argument missing, letter" ota-pack verify -k
says err "ota-pack: option '-k' needs an argument"
run 2 "argument missing, long" ota-pack verify --above
says err "ota-pack: option '--above' needs an argument"
run 2 "argument not taken" ota-pack --json=yes plan
says err "ota-pack: option '--json' does not take an argument"
run 2 "every mistake at once" ota-pack verify --zzzzzzzz -Z "$one"
[ "$(grep -c 'unknown option' .err)" -eq 2 ]
ok $? "both are told"

# Values.
for jobs in 0 1025 1x x '' -1 99999999999999999999; do
    run 2 "-j '$jobs'" ota-pack -j "$jobs" verify -k "$pub" "$one"
    says err "'$jobs' is not a number from 1 to 1024 (option -j)"
done
run 0 "-j 1024" ota-pack -j 1024 verify -k "$pub" "$one"
run 2 "--color" ota-pack --color=alwayz verify -k "$pub" "$one"
says err "unknown colour choice 'alwayz' (did you mean 'always'?)"
run 2 "--color of nothing known" ota-pack --color=blue verify -k "$pub" "$one"
says err "unknown colour choice 'blue': auto, always or never"

# Global options before and after the command, after operands, and `--`.
for where in "--json verify" "verify --json" "verify --jso"; do
    # shellcheck disable=SC2086 # two words
    run 0 "$where" ota-pack $where -k "$pub" "$one"
    says out "{\"type\":\"verify\",\"file\":\"$one\",\"ok\":true,\"v\":1}"
done
run 0 "after operands" ota-pack verify "$one" -k "$pub" -q
silent out
silent err
run 4 "no option after --" ota-pack verify -k "$pub" -- -q
says err "ota-pack: cannot open '-q': No such file or directory"

# JSON.
run 2 "a mistake before --json" ota-pack verify --zzzzzzzz --json
silent err
printf '%s\n%s\n' \
    '{"type":"error","kind":"usage","message":"unknown option '"'--zzzzzzzz'"': see '"'ota-pack verify -h'"'","v":1}' \
    '{"type":"summary","status":2,"errors":1,"v":1}' | cmp -s - .out
ok $? "error and summary, nothing else"
bad=$(printf 'a\033\302\205\377"\\\t.otab')
run 4 "strange bytes in JSON" ota-pack verify --json -k "$pub" "$bad"
says out 'cannot open '"'"'a\\x1b\\x85\\xff\"\\\\x09.otab'
printf 'x' >"$bad"
run 9 "the same as a value" ota-pack verify --json -k "$pub" "$bad"
says out '"file":"a\u001b\u0085\ufffd\"\\\t.otab"'
run 9 "strange bytes in text" ota-pack verify -k "$pub" "$bad"
says out 'a\x1b\x85\xff"\\x09.otab: truncated: '

# Colour.
esc=$(printf '\033')
run 2 "no terminal, no colour" ota-pack zz
! grep -q "$esc" .err
ok $? "plain"
run 2 "--color=always" ota-pack --color=always zz
says err "${esc}["
run 2 "CLICOLOR_FORCE" env -u NO_COLOR CLICOLOR_FORCE=1 ota-pack zz
says err "${esc}["
run 2 "FORCE_COLOR" env -u NO_COLOR FORCE_COLOR=1 ota-pack zz
says err "${esc}["
run 2 "NO_COLOR wins" env NO_COLOR=1 FORCE_COLOR=1 ota-pack zz
! grep -q "$esc" .err
ok $? "plain"
run 2 "--color wins over NO_COLOR" env NO_COLOR=1 ota-pack --color=always zz
says err "${esc}["

# Output that cannot be written, and descriptors that are not there.
if [ -e /dev/full ]; then
    ota-pack verify -k "$pub" "$one" >/dev/full 2>.err
    [ $? -eq 1 ]
    ok $? "a full disk behind standard output (exit 1)"
    says err "ota-pack: cannot write the output: No space left on device"
fi
ota-pack verify -k "$pub" "$one" >&- 2>.err
[ $? -eq 1 ]
ok $? "standard output closed (exit 1)"
says err "ota-pack: cannot write the output: Bad file descriptor"
ota-pack zz <&- >&- 2>&-
[ $? -eq 2 ]
ok $? "all three closed (exit 2)"
mkdir closed
ota-pack unpack -k "$pub" -C closed "$one" >&- 2>&-
cmp -s closed/program.py "$vectors/one/program.py"
ok $? "no message goes into a file that is written"
{
    ota-pack -h
    echo $? >ended
} 2>.err | true
[ "$(cat ended)" = 0 ]
ok $? "a reader that is gone is no failure"
silent err

done_testing
