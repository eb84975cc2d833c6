#!/bin/sh
# The manual: ota-agent(1) has every command, option and exit status that there
# is, and none that there is not.
. "$(dirname "$0")/agent.sh"
page=$top/man/ota-agent.1

ota-agent -h >help
sed -n 's/^  [ -][ a-z][ ,] --\([a-z-]*\).*/\1/p' help | sort >options
sed -n '/^\.Ss Options/,/^\.Ss Configuration/s/^\.It Fl \(.\( , -\)\)*-*\([a-z-]*\).*/\3/p' \
    "$page" | sort >described
[ "$(wc -l <options)" -gt 25 ]
ok $? 'there are options'
run 0 'all of them are in the manual' diff options described

sed -n 's/^  \([a-z][a-z]*\) .*/\1/p' help | sort >commands
sed -n 's/^\.It Nm Cm \([a-z]*\).*/\1/p' "$page" | sort >described
[ "$(wc -l <commands)" -eq 7 ]
ok $? 'there are commands'
run 0 'all of them are in the manual' diff commands described

sed -n 's/.*EXIT_[A-Z]* = \([0-9]*\).*/\1/p' \
    "$top/src/device/agent/say.h" | sort >statuses
sed -n '/^\.Sh EXIT/,/^\.Sh EXAMPLES/s/^\.It \([0-9]*\)$/\1/p' "$page" |
    sort >described
[ -s statuses ]
ok $? 'there are exit statuses'
run 0 'all of them are in the manual' diff statuses described

# The configuration of the examples is one.
sed -n '/^of a board/,/^\.Ed/p' "$page" | grep ' = ' >example.conf
sed -i "s|^root = .*|root = $work|; s|^key = .*|key = release.pub|" example.conf
[ "$(wc -l <example.conf)" -eq 8 ]
ok $? 'there is an example'
run 0 'which the agent takes' ota-agent -c example.conf status
done_testing
