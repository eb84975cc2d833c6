# Sourced by tests/servers/*.t: real servers on loopback, each with a
# configuration of ours in the test's scratch folder, ended by process id.
# shellcheck shell=sh
. "$(dirname "$0")/../cli/lib.sh"
. "$top/tests/cli/fleet.sh"
PATH=$PATH:/usr/sbin:/sbin
www=$work/www
logs=$work/log
mkdir -p "$www" "$work/spool" "$logs"
pids=
trap 'stop_servers; rm -rf "$work"' EXIT
export no_proxy='*'

stop_servers() {
    for pid in $pids; do
        kill "$pid" 2>/dev/null
    done
    for file in "$work"/*.pid; do
        [ -s "$file" ] && kill "$(cat "$file")" 2>/dev/null
    done
    pids=
}

# free_port: one that nobody listens on.
free_port() {
    perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(
        Listen => 1, LocalAddr => "127.0.0.1")->sockport'
}

# wait_port PORT: until somebody listens there.
wait_port() {
    perl -MIO::Socket::INET -e 'for (1 .. 200) {
        exit 0 if IO::Socket::INET->new("127.0.0.1:$ARGV[0]");
        select undef, undef, undef, 0.05 }
        exit 1' "$1"
}

# launch COMMAND...: the server that listens on $port then; `relaunch` starts it
# once more.
launch() {
    relaunch_port=$port
    relaunch=$(printf "'%s' " "$@")
    relaunch
}

relaunch() {
    eval "$relaunch" && wait_port "$relaunch_port"
}

# background COMMAND...: one that stays in the foreground.
background() {
    "$@" >"$logs/${1##*/}.out" 2>&1 &
    pids="$pids $!"
    echo $! >server.pid
}

# kill_server: as a power cut does it, with all the processes that it has.
kill_server() {
    for file in "$work"/nginx.pid "$work"/apache.pid "$work"/lighttpd.pid \
        "$work"/sshd.pid "$work"/server.pid; do
        [ ! -s "$file" ] || kill_tree "$(cat "$file")"
        rm -f "$file"
    done
    rm -f "$work"/proftpd.pid
}

kill_tree() { # PID: stopped first, so that it has no more children
    kill -STOP "$1" 2>/dev/null || return
    for child in $(cat "/proc/$1/task/$1/children"); do
        (kill_tree "$child")
    done
    kill -9 "$1"
}

# start_readers: nginx and Caddy, which only read, where devices poll: $readers.
start_readers() {
    readers=
    if command -v nginx >/dev/null; then
        reader=$(free_port)
        cat >reader.conf <<EOT
$([ "$(id -u)" -ne 0 ] || echo 'user root;')
pid $work/reader.pid; error_log $logs/reader.err; events { }
http {
    access_log off; types { } default_type application/octet-stream;
    client_body_temp_path $work/spool/rb; proxy_temp_path $work/spool/rp;
    fastcgi_temp_path $work/spool/rf; uwsgi_temp_path $work/spool/ru;
    scgi_temp_path $work/spool/rs;
    server { listen 127.0.0.1:$reader; root $www; }
}
EOT
        nginx -e "$logs/reader.err" -c "$work/reader.conf" &&
            wait_port "$reader" &&
            readers="$readers http://127.0.0.1:$reader"
    fi
    if command -v caddy >/dev/null; then
        reader=$(free_port)
        cat >Caddyfile <<EOT
{
    admin off
    auto_https off
}
http://127.0.0.1:$reader {
    bind 127.0.0.1
    root * $www
    file_server
}
EOT
        HOME=$work caddy run --config Caddyfile --adapter caddyfile \
            >"$logs/caddy" 2>&1 &
        pids="$pids $!"
        wait_port "$reader" && readers="$readers http://127.0.0.1:$reader"
    fi
}

# proxy RULE: in front of $port; sets $through, logs to proxy.log.
proxy() {
    [ -z "${proxy_pid-}" ] || kill "$proxy_pid" 2>/dev/null
    rm -f proxy.port proxy.log
    "$BUILD/tests/servers/proxy" "$port" proxy.port proxy.log "$1" &
    proxy_pid=$!
    pids="$pids $proxy_pid"
    for _ in $(seq 100); do
        [ -s proxy.port ] && break
        sleep 0.02
    done
    through=http://127.0.0.1:$(cat proxy.port)/
}

# certificate: srv.pem and srv.key, of an authority that nobody knows.
certificate() {
    [ -s srv.pem ] || openssl req -x509 -newkey ec -nodes -days 2 \
        -pkeyopt ec_paramgen_curve:P-256 -subj /CN=test \
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2 \
        -keyout srv.key -out srv.pem 2>/dev/null
}

# login: pub with the password secret123.
login() {
    echo pub:secret123 >plain
    echo "pub:{SHA}$(printf secret123 | openssl sha1 -binary | base64)" \
        >htpasswd
    export OTA_PACK_SERVER_USER=pub OTA_PACK_SERVER_PASSWORD=secret123
}

# ssh_keys: of the server and of who publishes, and who is known.
ssh_keys() {
    ssh-keygen -q -t ed25519 -N '' -f hostkey
    ssh-keygen -q -t ed25519 -N '' -f id
    cp id.pub authorized_keys
    chmod 600 id hostkey
}

# Each start_NAME sets $url (http), $urls (https), $read (what devices use).
# $nginx_extra: lines of the server, $nginx_http: outside of it.
start_nginx() { # [create_full_put_path]
    port=$(free_port)
    ports=$(free_port)
    certificate
    login
    cat >nginx.conf <<EOT
$([ "$(id -u)" -ne 0 ] || echo 'user root;')
pid $work/nginx.pid; error_log $logs/nginx.err;
events { worker_connections 1024; }
http {
    access_log $logs/nginx.access; types { }
    default_type application/octet-stream;
    client_max_body_size 64m; keepalive_requests 100000;
    client_body_temp_path $work/spool/b; proxy_temp_path $work/spool/p;
    fastcgi_temp_path $work/spool/f; uwsgi_temp_path $work/spool/u;
    scgi_temp_path $work/spool/s;
    ${nginx_http-}
    server {
        listen 127.0.0.1:$port; listen 127.0.0.1:$ports ssl http2;
        ${nginx_extra-}
        root $www; ssl_certificate $work/srv.pem;
        ssl_certificate_key $work/srv.key;
        location / {
            limit_except GET HEAD {
                auth_basic pub; auth_basic_user_file $work/htpasswd;
            }
            dav_methods PUT DELETE MKCOL COPY MOVE;
            create_full_put_path ${1:-off};
            dav_access user:rw group:r all:r;
        }
    }
}
EOT
    launch nginx -e "$logs/nginx.err" -c "$work/nginx.conf" || return 1
    url=http://127.0.0.1:$port/
    urls=https://127.0.0.1:$ports/
    read=$url
}

start_apache() {
    port=$(free_port)
    ports=$(free_port)
    certificate
    login
    chown -R www-data "$www" "$work/spool/" 2>/dev/null
    chmod 755 "$work"
    {
        echo "ServerRoot /usr/lib/apache2"
        for m in mpm_event authz_core authz_user authn_core authn_file \
            auth_basic dav dav_fs ssl http2; do
            echo "LoadModule ${m}_module modules/mod_$m.so"
        done
        cat <<EOT
ServerName localhost
PidFile $work/apache.pid
DefaultRuntimeDir $work
ErrorLog $logs/apache.err
Listen 127.0.0.1:$port
Listen 127.0.0.1:$ports
$([ "$(id -u)" -ne 0 ] || printf 'User www-data\nGroup www-data\n')
MaxKeepAliveRequests 0
Protocols h2 http/1.1
DAVLockDB $work/spool/DavLock
DocumentRoot $www
<Directory $www>
    Dav On
    AuthType Basic
    AuthName pub
    AuthUserFile $work/htpasswd
    <LimitExcept GET HEAD>
        Require valid-user
    </LimitExcept>
</Directory>
<VirtualHost 127.0.0.1:$ports>
    SSLEngine on
    SSLCertificateFile $work/srv.pem
    SSLCertificateKeyFile $work/srv.key
</VirtualHost>
EOT
    } >apache.conf
    launch apache2 -f "$work/apache.conf" -k start || return 1
    url=http://127.0.0.1:$port/
    urls=https://127.0.0.1:$ports/
    read=$url
}

start_lighttpd() { # [LINE]...
    port=$(free_port)
    ports=$(free_port)
    certificate
    login
    cat >lighttpd.conf <<EOT
server.modules = ("mod_auth", "mod_authn_file", "mod_webdav", "mod_openssl",
    "mod_staticfile")
server.port = $port
server.bind = "127.0.0.1"
server.document-root = "$www"
server.pid-file = "$work/lighttpd.pid"
server.errorlog = "$logs/lighttpd.err"
server.upload-dirs = ("$work/spool")
webdav.activate = "enable"
mimetype.assign = ("" => "application/octet-stream")
auth.backend = "plain"
auth.backend.plain.userfile = "$work/plain"
\$HTTP["request-method"] !~ "^(GET|HEAD)\$" {
    auth.require = ("/" => ("method" => "basic", "realm" => "pub",
        "require" => "valid-user"))
}
\$SERVER["socket"] == "127.0.0.1:$ports" {
    ssl.engine = "enable"
    ssl.pemfile = "$work/srv.pem"
    ssl.privkey = "$work/srv.key"
}
$(printf '%s\n' "$@")
EOT
    launch lighttpd -f "$work/lighttpd.conf" || return 1
    url=http://127.0.0.1:$port/
    urls=https://127.0.0.1:$ports/
    read=$url
}

# aws_keys ID SECRET [TOKEN]: and nothing else that AWS's programs look at.
aws_keys() {
    unset AWS_PROFILE AWS_SESSION_TOKEN AWS_REGION AWS_DEFAULT_REGION
    export AWS_ACCESS_KEY_ID="$1" AWS_SECRET_ACCESS_KEY="$2"
    [ -z "${3-}" ] || export AWS_SESSION_TOKEN="$3"
    export AWS_CONFIG_FILE=none AWS_SHARED_CREDENTIALS_FILE=none
}

# s3d: bucket `ota` in $www/ota, by a program of ours that checks signatures.
# With S3D_HOST the bucket is in the host's name.
start_s3d() {
    rm -f port
    aws_keys AKIDEXAMPLE 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' \
        "${S3D_TOKEN-}"
    S3D_KEY=$AWS_ACCESS_KEY_ID S3D_SECRET=$AWS_SECRET_ACCESS_KEY \
        S3D_TOKEN=${S3D_TOKEN-} S3D_REGION=${S3D_REGION-us-east-1} \
        S3D_HOST=${S3D_HOST-} perl "$top/tests/servers/s3d.pl" "$www/ota" ota \
        "$logs/s3d" >port 2>"$logs/s3d.err" &
    pids="$pids $!"
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        [ -s port ] && break
        sleep 0.2
    done
    port=$(cat port)
    url=http://127.0.0.1:$port
    read=$url/
}

# s3rver: buckets that tests/servers/s3rver.sh can have got us.
start_s3rver() { # PROGRAM [OPTION]...
    port=$(free_port)
    aws_keys S3RVER S3RVER
    "$@" -d "$work/s3" -a 127.0.0.1 -p "$port" --no-vhost-buckets --silent \
        --configure-bucket ota >"$logs/s3rver" 2>&1 &
    pids="$pids $!"
    wait_port "$port" || return 1
    url=http://127.0.0.1:$port
    read=$url/
}

# start_sshd [LINE]...: publishes to $url; $server has the keys too.
start_sshd() {
    port=$(free_port)
    [ -s hostkey ] || ssh_keys
    mkdir -p /run/sshd 2>/dev/null
    echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 hostkey.pub)" >known_hosts
    {
        cat <<EOT
Port $port
ListenAddress 127.0.0.1
HostKey $work/hostkey
PidFile $work/sshd.pid
UsePAM no
StrictModes no
AuthorizedKeysFile $work/authorized_keys
PasswordAuthentication no
PermitRootLogin yes
Subsystem sftp internal-sftp
EOT
        [ $# -eq 0 ] || printf '%s\n' "$@"
    } >sshd_config
    launch "$(command -v sshd)" -f "$work/sshd_config" -E "$logs/sshd" ||
        return 1
    url=sftp://$(id -un)@127.0.0.1:$port$www/
    read=
}

# start_vsftpd [LINE]...: anonymous, and TLS that wants its sessions used again.
start_vsftpd() {
    port=$(free_port)
    certificate
    unset OTA_PACK_SERVER_USER OTA_PACK_SERVER_PASSWORD
    {
        cat <<EOT
listen=YES
listen_address=127.0.0.1
listen_port=$port
background=NO
run_as_launching_user=YES
seccomp_sandbox=NO
anonymous_enable=YES
no_anon_password=YES
anon_root=$www
allow_writeable_chroot=YES
write_enable=YES
anon_umask=022
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_world_readable_only=NO
xferlog_enable=NO
ssl_enable=YES
allow_anon_ssl=YES
ssl_ciphers=HIGH
force_anon_data_ssl=NO
force_anon_logins_ssl=NO
require_ssl_reuse=YES
rsa_cert_file=$work/srv.pem
rsa_private_key_file=$work/srv.key
EOT
        [ $# -eq 0 ] || printf '%s\n' "$@"
    } >vsftpd.conf
    launch background "$(command -v vsftpd)" "$work/vsftpd.conf" || return 1
    url=ftp://127.0.0.1:$port/
    urls=ftps://127.0.0.1:$port/
    read=
}

# pyftpd_there: 0 where a server in Python can be started.
pyftpd_there() {
    /usr/bin/python3 -c 'import pyftpdlib, OpenSSL' 2>/dev/null
}

# start_pyftpd [SECONDS]: anonymous, to $url, and by TLS alone to $urls; SECONDS
# is what a login takes.
start_pyftpd() {
    certificate
    unset OTA_PACK_SERVER_USER OTA_PACK_SERVER_PASSWORD
    port=$(free_port)
    launch background /usr/bin/python3 "$top/tests/servers/pyftpd.py" "$www" \
        "$port" - - "${1-0}" || return 1
    url=ftp://127.0.0.1:$port/
    port=$(free_port)
    launch background /usr/bin/python3 "$top/tests/servers/pyftpd.py" "$www" \
        "$port" srv.pem srv.key "${1-0}" || return 1
    urls=ftps://127.0.0.1:$port/
    read=
}

# proftpd_there: 0 where it is.  It and vsftpd cannot both be installed, so its
# packages are only unpacked, into $BUILD/proftpd.
proftpd_there() {
    proftpd=$(command -v proftpd) && modules=/usr/lib/proftpd && return 0
    proftpd=$BUILD/proftpd/usr/sbin/proftpd
    modules=$BUILD/proftpd/usr/lib/proftpd
    LD_LIBRARY_PATH=$(echo "$BUILD"/proftpd/usr/lib/*-linux-gnu*)
    export LD_LIBRARY_PATH
    "$proftpd" -v >/dev/null 2>&1 && return 0
    mkdir -p "$BUILD/proftpd" || return 1
    (cd "$BUILD/proftpd" && apt-get -qq download proftpd-core \
        proftpd-mod-crypto libhashkit2 libhiredis0.14 libmemcached11 \
        libmemcachedutil2 libpcre2-posix3 libsodium23 &&
        for deb in *.deb; do dpkg -x "$deb" .; done
        rm -rf etc var) >"$logs/apt" 2>&1
    LD_LIBRARY_PATH=$(echo "$BUILD"/proftpd/usr/lib/*-linux-gnu*)
    "$proftpd" -v >/dev/null 2>&1
}

# start_proftpd [LINE]...: the users pub and de@ploy with the password secret123,
# and TLS.
start_proftpd() {
    port=$(free_port)
    certificate
    login
    for user in pub de@ploy; do
        echo "$user:$(openssl passwd -1 secret123):$(id -u):$(id -g)::$www:/bin/sh"
    done >ftp.passwd
    chmod 600 ftp.passwd
    cat >proftpd.conf <<EOT
ServerType standalone
DefaultAddress 127.0.0.1
SocketBindTight on
Port $port
User $(id -un)
Group $(id -gn)
PidFile $work/proftpd.pid
ScoreboardFile $work/proftpd.board
ModulePath $modules
LoadModule mod_tls.c
TLSEngine on
TLSECCertificateFile $work/srv.pem
TLSECCertificateKeyFile $work/srv.key
TLSProtocol TLSv1.2
TLSLog $logs/proftpd.tls
SystemLog $logs/proftpd
WtmpLog off
TransferLog none
DelayTable none
DelayEngine off
AuthOrder mod_auth_file.c
AuthUserFile $work/ftp.passwd
RequireValidShell off
RootLogin on
AllowOverwrite on
UseIPv6 off
$(printf "%s\n" "$@")
EOT
    launch background "$proftpd" -q -n -c "$work/proftpd.conf" || return 1
    url=ftp://127.0.0.1:$port/
    urls=ftps://127.0.0.1:$port/
    read=
}
