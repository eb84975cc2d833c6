#!/bin/sh
# Installs what a task needs and this machine lacks, through its package
# manager: tests/deps.sh build|check|soak|stack|lint|fuzz|servers...
# Says what it installs; nothing missing: says and does nothing.
set -eu

# task, how to find out, then the package in apt, dnf and apk
table='
build cmd:cc           gcc            gcc                 gcc
build h:stdio.h        libc6-dev      glibc-devel         musl-dev
build h:sodium.h       libsodium-dev  libsodium-devel     libsodium-dev
build h:zlib.h         zlib1g-dev     zlib-devel          zlib-dev
build h:yaml.h         libyaml-dev    libyaml-devel       yaml-dev
build h:curl/curl.h    libcurl4-openssl-dev libcurl-devel  curl-dev
check cmd:prove        perl           perl-Test-Harness   perl-utils
check cmd:minisign     minisign       minisign            minisign
check cmd:strace       strace         strace              strace
lint  cmd:gcc          gcc            gcc                 gcc
lint  cmd:clang        clang          clang               clang
lint  cmd:clang-tidy   clang-tidy     clang-tools-extra   clang-extra-tools
lint  cmd:clang-format clang-format   clang-tools-extra   clang-extra-tools
lint  cmd:cppcheck     cppcheck       cppcheck            cppcheck
lint  cmd:shellcheck   shellcheck     ShellCheck          shellcheck
lint  cmd:mandoc       mandoc         mandoc              mandoc
lint  cmd:codespell    codespell      codespell           codespell
stack cmd:arm-none-eabi-gcc gcc-arm-none-eabi arm-none-eabi-gcc-cs gcc-arm-none-eabi
stack picolibc         picolibc-arm-none-eabi arm-none-eabi-newlib picolibc
servers cmd:curl       curl           curl                curl
servers cmd:npm        npm            nodejs-npm          npm
servers cmd:openssl    openssl        openssl             openssl
servers sbin:nginx     nginx-light    nginx               nginx
servers sbin:apache2   apache2        httpd               apache2
servers sbin:lighttpd  lighttpd       lighttpd            lighttpd
servers sbin:sshd      openssh-server openssh-server      openssh-server
servers cmd:ssh-keygen openssh-client openssh-clients     openssh-client
servers sbin:vsftpd    vsftpd         vsftpd              vsftpd
servers py:pyftpdlib python3-pyftpdlib python3-pyftpdlib py3-pyftpdlib
servers py:OpenSSL   python3-openssl python3-pyOpenSSL   py3-openssl
servers cmd:caddy      caddy          caddy               caddy
servers webdav         lighttpd-mod-webdav lighttpd       lighttpd-mod_webdav
servers lighttls       lighttpd-mod-openssl lighttpd      lighttpd
soak  cmd:xz         xz-utils       xz                  xz
fuzz  cmd:clang        clang          clang               clang
fuzz  fuzzer           libclang-rt    compiler-rt         compiler-rt
'

compiles() {
    "${CC:-cc}" -x c "$@" - >/dev/null 2>&1
}

# there PROBE: this machine has it.
there() {
    case $1 in
    cmd:cc) command -v "${CC:-cc}" ;;
    sbin:*) PATH=$PATH:/usr/sbin:/sbin command -v "${1#sbin:}" ;;
    picolibc) echo '#include <string.h>' |
        arm-none-eabi-gcc --specs=picolibc.specs -E -o /dev/null - ;;
    webdav) ls /usr/lib*/lighttpd/mod_webdav.so ;;
    lighttls) ls /usr/lib*/lighttpd/mod_openssl.so ;;
    py:*) /usr/bin/python3 -c "import ${1#py:}" ;;
    cmd:*) command -v "${1#cmd:}" ;;
    h:*) echo "#include <${1#h:}>" | compiles -E -o /dev/null ;;
    fuzzer) echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
        CC=clang compiles -fsanitize=fuzzer -o /dev/null ;;
    esac >/dev/null 2>&1
}

apt() { # COMMAND...: apt-get, quiet unless it fails
    # no runlevel: nothing that is installed starts a service
    $sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        return 1
    }
}

apt_install() {
    command -v apt-get >/dev/null 2>&1 || return 2
    sudo=
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 || return 2
        sudo=sudo
    fi
    echo "installing with ${sudo:+sudo }apt-get: $*"
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    apt update
    # clang's runtime has its version in its name
    v=$(apt-cache depends clang 2>/dev/null |
        sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
    for p; do
        shift
        [ "$p" = libclang-rt ] && p=libclang-rt-${v:-14}-dev
        set -- "$@" "$p"
    done
    apt install --no-install-recommends -y "$@"
}

missing=
packages=
dnf=
apk=
add() { # LIST WORD: the list with the word, once
    case " $1 " in *" $2 "*) echo "$1" ;; *) echo "$1 $2" ;; esac
}
for task; do
    [ "$task" = check ] && set -- build "$@"
done
while read -r task probe a d k; do
    case " $* " in *" ${task:--} "*) ;; *) continue ;; esac
    there "$probe" && continue
    missing=$(add "$missing" "${probe#*:}")
    packages=$(add "$packages" "$a")
    dnf=$(add "$dnf" "$d")
    apk=$(add "$apk" "$k")
done <<END
$table
END
[ -n "$missing" ] || exit 0
# shellcheck disable=SC2086  # a list of names
if apt_install $packages; then
    exit 0
fi
cat >&2 <<END
missing here:$missing
install them as root, then run this again:
  Debian, Ubuntu   apt-get install$packages
  Fedora           dnf install$dnf
  Alpine           apk add$apk
END
exit 1
