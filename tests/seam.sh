#!/bin/sh
# Who may know whom: fails on an include that a room is not allowed, on another
# noun's private header, on files of different nouns that call each other in a
# circle, and on anything the device library asks its host for.  LIB names the
# library, built without stack protector and fortification, which would add
# symbols; OBJECTS is the folder of the host's objects.
set -eu
fails=0

# The whole of what libota-bundle.a may ask for.
symbols='memchr memcmp memcpy memmove memset strchr strlen
    crypto_hash_sha512 crypto_hash_sha512_init crypto_hash_sha512_update
    crypto_hash_sha512_final crypto_sign_ed25519_verify_detached
    crypto_stream_xchacha20_xor sodium_memcmp sodium_memzero
    inflate inflateEnd inflateInit2_ inflateReset'

# For each place, what its quoted and bracketed includes may look like, as
# shell patterns.  A library header is tied to its files below.
freestanding='<stddef.h> <stdint.h> <stdbool.h> <limits.h>'
system='<[a-z]*.h> <sys/*.h> <netinet/*.h> <arpa/*.h>'
rooms() { # ROOM...: their headers
    printf '%s/*.h ' "$@"
}

allowed() { # FILE: the patterns
    case $1 in
    include/ota/bundle.h) echo "$freestanding" ;;
    include/ota/*) echo "$freestanding <ota/*.h> own" ;;
    src/bundle/*) echo "$freestanding <string.h> <ota/*.h> own" ;;
    src/base/*) echo "$system own" ;;
    src/config/*) echo "$system <ota/*.h> own bundle/*.h base/*.h" ;;
    src/keys/*) echo "$system <ota/*.h> own $(rooms bundle base config)" ;;
    src/store/*) echo "$system <ota/*.h> own $(rooms base config keys)" ;;
    src/pack/*) echo "$system <ota/*.h> own $(rooms bundle base config keys)" ;;
    src/index/*)
        echo "$system <ota/*.h> own $(rooms bundle base config keys store pack)"
        ;;
    src/plan/*)
        echo "$system <ota/*.h> own $(rooms bundle base config pack index)"
        ;;
    src/publish/* | src/cli/*)
        echo "$system <ota/*.h> own $(rooms bundle base config keys store \
            pack index plan publish)"
        ;;
    src/device/*/*) echo "$system <ota/*.h> own $(rooms bundle device)" ;;
    src/device/*) echo "$system <ota/*.h> own" ;;
    esac
}

# The files that may include a library's header.
owners() { # HEADER
    case $1 in
    '<yaml.h>') echo 'src/config/config*.c' ;;
    '<zlib.h>') echo 'src/pack/payload*.c src/base/deflate.c src/bundle/inflate.c' ;;
    '<sodium.h>' | '<sodium/'*) 
        echo 'src/keys/* src/pack/* src/store/* src/cli/* src/bundle/crypto.c src/device/agent/trust.c' ;;
    '<curl/'*) echo 'src/store/* src/device/agent/*' ;;
    '<divsufsort'*) echo 'src/pack/delta.c' ;;
    *) return 1 ;;
    esac
}

matches() { # WORD PATTERN...
    word=$1
    shift
    for pattern; do
        # shellcheck disable=SC2254  # it is a pattern
        case $word in $pattern) return 0 ;; esac
    done
    return 1
}

bad() {
    echo "seam: $*" >&2
    fails=$((fails + 1))
}

# The first word of a file's name: config_yaml.c is of config.
noun() { # FILE
    name=${1##*/}
    name=${name%.*}
    echo "${1%/*}/${name%%_*}"
}

set -f # the patterns are for matches(), not for the shell
check_include() { # FILE HEADER, the header as written, or bare if quoted
    if list=$(owners "$2"); then
        # shellcheck disable=SC2086
        matches "$1" $list || bad "$1 includes $2: only $list may"
        return
    fi
    case $2 in
    */*_private.h | */*_internal.h) bad "$1 includes $2, of another noun" ;;
    *_private.h | *_internal.h)
        [ "$(noun "$1")" = "$(noun "${1%/*}/$2")" ] ||
            bad "$1 includes $2, of another noun"
        ;;
    esac
    name=$2
    case $name in '<'*) ;; */*) ;; *) [ -e "${1%/*}/$name" ] && name=own ;; esac
    # shellcheck disable=SC2046
    matches "$name" $(allowed "$1") || bad "$1 may not include $2"
}

check_includes() {
    count=0
    find include src -name '*.[ch]' >"$list_file"
    while read -r file; do
        for header in $(sed -n \
            -e 's/^ *# *include *\(<[^>]*>\).*/\1/p' \
            -e 's/^ *# *include *"\([^"]*\)".*/\1/p' "$file"); do
            check_include "$file" "$header"
            count=$((count + 1))
        done
    done <"$list_file"
}

# Undefined in one object and defined in none; exported without ota_; data
# that can be written.
check_library() {
    nm -g "$LIB" | awk 'NF == 3 { print $3 }' | sort -u >"$list_file"
    for symbol in $(nm -u "$LIB" | awk 'NF == 2 { print $2 }' | sort -u |
        grep -vxFf "$list_file"); do
        # shellcheck disable=SC2086
        matches "$symbol" $symbols || bad "$LIB asks for $symbol"
        asked="${asked-}${asked:+ }$symbol"
    done
    for symbol in $(grep -v '^ota_' "$list_file"); do
        bad "$LIB exports $symbol, which does not begin with ota_"
    done
    for symbol in $(nm "$LIB" | awk '$2 ~ /^[BbCcDdGgSs]$/ { print $3 }'); do
        bad "$LIB has a global that can be written: $symbol"
    done
}

# Pairs of files of different nouns of which each reaches the other by calls, as
# the objects say.  The device's own files are left out: there stage and swap,
# manifest and poll call each other.
find_circles() {
    awk '
    NF < 3 { next } # a line that names no symbol
    { file = $1; sub(/:.*/, "", file); symbol = $NF }
    $(NF - 1) == "U" { asks[file] = asks[file] " " symbol; next }
    { owner[symbol] = file }
    function noun(file) {
        sub(/\.o$/, "", file)
        sub(/_[^\/]*$/, "", file)
        return file
    }
    function visit(from, file,    list, n, i, next_file) {
        n = split(asks[file], list, " ")
        for (i = 1; i <= n; i++) {
            next_file = owner[list[i]]
            if (next_file == "" || (from, next_file) in reaches)
                continue
            reaches[from, next_file] = 1
            visit(from, next_file)
        }
    }
    END {
        for (file in asks)
            visit(file, file)
        for (a in asks)
            for (b in asks)
                if (a < b && noun(a) != noun(b) && (a, b) in reaches &&
                    (b, a) in reaches)
                    print a, b
    }'
}

check_circles() {
    objects=0
    find "$OBJECTS" -name '*.o' ! -path '*/bundle/*' ! -path '*/device/*' |
        sed "s|^$OBJECTS/\(.*\)\.o$|\1|" | sort >"$list_file"
    while read -r object; do
        [ -e "src/$object.c" ] || continue # of a source that is gone
        objects=$((objects + 1))
        echo "$OBJECTS/$object.o"
    done <"$list_file" >"$list_file.o"
    # shellcheck disable=SC2046
    nm -A -g $(cat "$list_file.o") | sed "s|^$OBJECTS/||" | find_circles \
        >"$list_file"
    rm "$list_file.o"
    while read -r one other; do
        bad "${one%.o}.c and ${other%.o}.c call each other in a circle"
    done <"$list_file"
}

list_file=$(mktemp)
trap 'rm -f "$list_file"' EXIT
check_includes
check_library
check_circles
[ "$objects" -gt 0 ] || bad 'no objects were found'
[ "$count" -gt 0 ] || bad 'no includes were found'
[ -n "${asked-}" ] || bad 'no symbols were found'
[ "$fails" -eq 0 ] || exit 1
echo "seam: $count includes and the calls of $objects files in order;"
echo 'the device library asks only for'
echo "$asked" | fold -s -w 76 | sed 's/^/    /'
