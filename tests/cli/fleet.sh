# Sourced after lib.sh: a small fleet to publish, in the scratch folder.
# shellcheck shell=sh

# config VERSION [LINE]...: ota-pack.yml with greenhouse at VERSION, then lines;
# it publishes to $server, or public/.
config() {
    {
        cat <<EOT
key: release.key
server: ${server:-public/}
releases:
  - name: greenhouse
    version: $1
    label: "2026.11"
    files:
      - main.py
      - lib/*.py
    devices:
      - {id: "24:6f:28:00:00:01", name: north}
      - {id: "24:6f:28:00:00:02", name: south}
      - "24:6f:28:00:00:03"
EOT
        shift
        [ $# -eq 0 ] || printf '%s\n' "$@"
    } >ota-pack.yml
}

# fleet: key and files.
fleet() {
    ota-pack keygen -W release >/dev/null 2>&1 || exit 1
    mkdir lib
    echo 'import net' >main.py
    echo 'def join(): pass' >lib/net.py
    echo 'def read(): return 1' >lib/sensor.py
}

# tree FOLDER: every file below it with its content's sum.
tree() {
    (cd "$1" && find . -type f -exec cksum {} + | sort -k3)
}

# stamp FOLDER: name, inode and time of change of all below it.
stamp() {
    find "$1" -printf '%p %i %T@ %C@\n' | sort
}

# version ID: the version in a device's published manifest.
version() {
    od -An -tu4 -j28 -N4 "public/devices/$1/manifest" | tr -d ' '
}

# whole WHAT: each manifest verifies, with its payload.
whole() {
    ota-pack verify -k release.pub public/devices/*/manifest \
        >"$work/.out" 2>"$work/.err"
    ok $? "$1"
}
