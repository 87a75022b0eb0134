#!/bin/bash
# Starts the API on a VM, at every boot. Made for Container-Optimized OS, which has Docker; Debian gets it here.
# It may run again at any time. It ends in one of two ways: the API runs as described here, or nothing runs.
#
# A template of Terraform; the values have been checked by its variables and hold no quotes.
set -euo pipefail
umask 077

project_id='${project_id}'
region='${region}'
image='${image}'
api_key_secret='${api_key_secret}'
secret_version='${secret_version}'
model_uri='${model_uri}'
port='${port}'
cors_origins='${cors_origins}'
domain='${domain}'
letsencrypt_email='${letsencrypt_email}'
forwarded_allow_ips='${forwarded_allow_ips}'

units=/run/systemd/system # gone after a reboot, like the key: nothing starts by itself with an old one
secrets=/run/mlops-api    # in memory; only root may enter
certificates=/var/lib/mlops-tls
caddy=caddy:2.10.2@sha256:c3d7ee5d2b11f9dc54f947f68a734c84e9c9666c92c88a7f30b9cba5da182adb

finish() {
    code=$?
    rm -rf "$secrets/docker"
    if [ "$code" -ne 0 ]; then
        systemctl stop mlops-tls.service mlops-api.service || true # not there yet
        rm -rf "$secrets" "$units/mlops-tls.service" "$units/mlops-api.service"
        systemctl daemon-reload
        echo "error: the API was not started" >&2
    fi
    exit "$code"
}
trap finish EXIT

fail() {
    echo "error: $1" >&2
    exit 1
}

# A tag can be moved to another image; a digest cannot.
[[ $image =~ @sha256:[0-9a-f]{64}$ ]] || fail "$image is not an image by digest"

if ! command -v docker >/dev/null; then
    apt-get update -q
    apt-get install -q -y --no-install-recommends ca-certificates curl docker.io
fi

fetch() { curl --silent --show-error --fail --max-time 10 --retry 5 --retry-connrefused "$@"; }

field() { sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p"; }

# The VM's identity. What is secret goes through pipes: arguments are seen by every process.
token=$(fetch --header 'Metadata-Flavor: Google' \
    http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token | field access_token)
[ -n "$token" ] || fail "the metadata server gave no token"

# The key is read by the container's user, through a folder that only root may enter.
mkdir -p "$secrets/docker" "$certificates"
printf 'Authorization: Bearer %s' "$token" |
    fetch --header @- "https://secretmanager.googleapis.com/v1/projects/$project_id/secrets/$api_key_secret/versions/$secret_version:access" |
    field data | base64 --decode > "$secrets/api_key.new" || fail "secret $api_key_secret cannot be read"
[ -s "$secrets/api_key.new" ] || fail "secret $api_key_secret is empty"
chown 10001 "$secrets/api_key.new"
chmod 400 "$secrets/api_key.new"
mv "$secrets/api_key.new" "$secrets/api_key"

export DOCKER_CONFIG=$secrets/docker
printf '%s' "$token" | docker login --username oauth2accesstoken --password-stdin "https://$region-docker.pkg.dev"
docker pull --quiet "$image"

# With TLS here, only Caddy is reached from outside.
publish=$port:8000
if [ -n "$domain" ]; then
    publish=127.0.0.1:$port:8000
    docker pull --quiet "$caddy"
fi
docker network inspect mlops >/dev/null 2>&1 || docker network create mlops

mkdir -p "$units"
cat > "$units/mlops-api.service" <<UNIT
[Unit]
Description=mlops-core API
Requires=docker.service
After=docker.service

[Service]
ExecStartPre=-/usr/bin/docker rm --force mlops-api
ExecStart=/usr/bin/docker run --name mlops-api --rm --pull never --network mlops --publish $publish \\
    --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges --user 10001:10001 \\
    --memory 512m --memory-swap 512m --pids-limit 128 \\
    --mount type=bind,source=$secrets/api_key,target=/run/secrets/api_key,readonly \\
    --env ENVIRONMENT=production \\
    --env MLFLOW_TRACKING_URI=$model_uri \\
    --env CORS_ORIGINS=$cors_origins \\
    --env FORWARDED_ALLOW_IPS=$forwarded_allow_ips \\
    $image
ExecStop=/usr/bin/docker stop --time 40 mlops-api
TimeoutStopSec=50
Restart=always
RestartSec=5
UNIT

if [ -n "$domain" ]; then
    cat > "$secrets/Caddyfile" <<CADDY
{
    admin off
    email $letsencrypt_email
}
$domain {
    respond /metrics 404
    reverse_proxy mlops-api:8000
}
CADDY
    cat > "$units/mlops-tls.service" <<UNIT
[Unit]
Description=TLS for the mlops-core API
Requires=docker.service
After=docker.service mlops-api.service

[Service]
ExecStartPre=-/usr/bin/docker rm --force mlops-tls
ExecStart=/usr/bin/docker run --name mlops-tls --rm --pull never --network mlops --publish 80:80 --publish 443:443 \\
    --read-only --tmpfs /config --cap-drop ALL --cap-add NET_BIND_SERVICE --security-opt no-new-privileges \\
    --memory 128m --memory-swap 128m --pids-limit 128 \\
    --mount type=bind,source=$secrets/Caddyfile,target=/etc/caddy/Caddyfile,readonly \\
    --mount type=bind,source=$certificates,target=/data \\
    $caddy
ExecStop=/usr/bin/docker stop --time 10 mlops-tls
Restart=always
RestartSec=5
UNIT
fi

systemctl daemon-reload
systemctl restart mlops-api.service
if [ -n "$domain" ]; then
    systemctl restart mlops-tls.service
fi
echo "mlops-api runs $image"
