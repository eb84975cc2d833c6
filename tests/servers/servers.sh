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
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
        -keyout srv.key -out srv.pem 2>/dev/null
}

# login: pub with the password secret123.
login() {
    echo pub:secret123 >plain
    echo "pub:{SHA}$(printf secret123 | openssl sha1 -binary | base64)" \
        >htpasswd
    export OTA_PACK_SERVER_USER=pub OTA_PACK_SERVER_PASSWORD=secret123
}

# Each start_NAME sets $url (http), $urls (https), $read (what devices use).
start_nginx() { # [create_full_put_path], with what $nginx_extra has
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
    nginx -e "$logs/nginx.err" -c "$work/nginx.conf" || return 1
    wait_port "$port" || return 1
    url=http://127.0.0.1:$port/
    urls=https://127.0.0.1:$ports/
    read=$url
}

start_apache() {
    port=$(free_port)
    ports=$(free_port)
    certificate
    login
    chown -R www-data "$www" "$work/spool" 2>/dev/null
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
    apache2 -f "$work/apache.conf" -k start || return 1
    wait_port "$port" || return 1
    url=http://127.0.0.1:$port/
    urls=https://127.0.0.1:$ports/
    read=$url
}

start_lighttpd() {
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
EOT
    lighttpd -f "$work/lighttpd.conf" || return 1
    wait_port "$port" || return 1
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
