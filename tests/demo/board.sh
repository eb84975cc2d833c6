#!/bin/sh
# board.sh NAME...: simulated boards; their power comes on.  Each does what a
# real one does: ota-agent boot, then its program, which confirms the version
# when it has done its work.
#
# MicroPython need not be here: a program "runs" if all that it imports is
# there, for that is the mistake which the demonstration makes.
builtin=' json machine time '

start() {
    ota-agent -c "$1.conf" boot || return
    for module in $(sed -n 's/^import //p' "$1/main.py"); do
        case $builtin in *" $module "*) continue ;; esac
        [ -e "$1/lib/$module.py" ] || {
            echo "main.py crashes: no module named '$module'"
            return
        }
    done
    # 12: nothing is on trial
    said=$(ota-agent -c "$1.conf" confirm 2>/dev/null) || [ $? -eq 12 ]
    echo "main.py runs and reaches its server${said:+: $said}"
}

for name; do
    start "$name" 2>&1 | sed "s/^\(ota-agent: \)*/$name: /"
done
