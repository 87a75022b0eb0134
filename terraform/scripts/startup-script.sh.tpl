#!/bin/bash
# Starts the API on a VM, at every boot, on Container-Optimized OS: Docker and Fluent Bit are there, nothing is installed.
# After a change of the key or of the metadata: sudo google_metadata_script_runner startup
#
# It stops what it started before and begins anew. So wherever it fails nothing runs: no API with a key that was
# withdrawn, none without a key. Units and key are in memory: after a reboot they come from here or not at all.
# A template of Terraform, whose variables let no quote and no line break through.
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

caddy=caddy:2.11.4@sha256:844f60b64e4724a5aa8245e019dace0d3f199f7433ce6c57676cb30a920dbad9
private=/run/mlops-api # only root may enter
logs=/run/mlops-logs
units=/run/systemd/system
certificates=/var/lib/mlops-tls # on the disk: Let's Encrypt gives out five a week
mkdir -p "$logs" "$units"

fail() {
    echo "error: $1" >&2
    exit 1
}

# The log first: it tells of what follows. Lines of JSON become the fields of jsonPayload, others stay messages.
cat > "$logs/parsers.conf" <<CONF
[PARSER]
    Name        line
    Format      json
    Time_Key    time
    Time_Format %Y-%m-%dT%H:%M:%S.%LZ
CONF
cat > "$logs/fluent-bit.conf" <<CONF
[SERVICE]
    Parsers_File $logs/parsers.conf

[INPUT]
    Name           systemd
    Tag            mlops-api
    DB             /var/lib/mlops-logs/position
    Systemd_Filter _SYSTEMD_UNIT=mlops-api.service
    Systemd_Filter _SYSTEMD_UNIT=mlops-tls.service
    Systemd_Filter _SYSTEMD_UNIT=google-startup-scripts.service

[FILTER]
    Name     parser
    Match    mlops-api
    Key_Name MESSAGE
    Parser   line

[FILTER]
    Name  modify
    Match mlops-api
    Copy  level severity

[OUTPUT]
    Name         stackdriver
    Match        mlops-api
    Resource     gce_instance
    Severity_Key severity
CONF
cat > "$units/mlops-logs.service" <<UNIT
[Unit]
Description=The log of mlops-core, to Cloud Logging

[Service]
ExecStart=/usr/bin/fluent-bit -c $logs/fluent-bit.conf
StateDirectory=mlops-logs
NoNewPrivileges=true
ProtectSystem=strict
MemoryMax=128M
Restart=always
RestartSec=5
UNIT

# What ran before.
for unit in mlops-tls.service mlops-api.service; do
    if [ -f "$units/$unit" ]; then
        systemctl stop "$unit"
        rm "$units/$unit"
    fi
done
rm -rf "$private"
systemctl daemon-reload
systemctl restart mlops-logs.service

# A tag can be moved to another image; a digest cannot.
[[ $image =~ ^[A-Za-z0-9][A-Za-z0-9._/:-]*@sha256:[0-9a-f]{64}$ ]] || fail "$image is not an image by digest"
command -v docker >/dev/null || fail "there is no Docker; boot Container-Optimized OS"

# Rights that were just given take a minute or two to count, so a refusal is tried again, too.
fetch() { curl --silent --show-error --fail --max-time 10 --retry 6 --retry-all-errors "$@"; }

field() { sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p"; }

# The VM's identity. Secrets go through pipes: every process can read the arguments of all others.
token=$(fetch --header 'Metadata-Flavor: Google' \
    http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token | field access_token)
[ -n "$token" ] || fail "the metadata server gave no token"

# For the user of the container, who comes to it by the mount; on the VM only root comes into the folder.
mkdir "$private"
printf 'Authorization: Bearer %s' "$token" |
    fetch --header @- "https://secretmanager.googleapis.com/v1/projects/$project_id/secrets/$api_key_secret/versions/$secret_version:access" |
    field data | base64 --decode > "$private/api_key" || fail "secret $api_key_secret cannot be read"
grep -q '[^[:space:]]' "$private/api_key" || fail "secret $api_key_secret is empty"
chown 10001 "$private/api_key"
chmod 400 "$private/api_key"

# The token for the registry ends with this script.
export DOCKER_CONFIG=$private/docker
trap 'rm -rf "$DOCKER_CONFIG"' EXIT
printf '%s' "$token" | docker login --username oauth2accesstoken --password-stdin "https://$region-docker.pkg.dev"
docker pull --quiet "$image"
if [ -n "$domain" ]; then
    docker pull --quiet "$caddy"
fi

# Google's networks carry 1460 bytes in a packet; Docker knows that of its default network only.
if ! docker network inspect mlops >/dev/null 2>&1; then
    docker network create --opt com.docker.network.driver.mtu=1460 mlops
fi
if [ -n "$domain" ]; then
    forwarded_allow_ips=$(docker network inspect --format '{{(index .IPAM.Config 0).Subnet}}' mlops)
fi

cat > "$private/environment" <<ENVIRONMENT
CORS_ORIGINS=$cors_origins
ENVIRONMENT=production
FORWARDED_ALLOW_IPS=$forwarded_allow_ips
MLFLOW_TRACKING_URI=$model_uri
ENVIRONMENT
cat > "$units/mlops-api.service" <<UNIT
[Unit]
Description=The API of mlops-core
Requires=docker.service
After=docker.service

[Service]
ExecStartPre=-/usr/bin/docker rm --force mlops-api
ExecStart=/usr/bin/docker run --name mlops-api --rm --pull never --log-driver none --network mlops --publish $port:8000 \\
    --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges:true --user 10001:10001 \\
    --memory 512m --memory-swap 512m --pids-limit 128 --env-file $private/environment \\
    --mount type=bind,source=$private/api_key,target=/run/secrets/api_key,readonly \\
    $image
ExecStop=-/usr/bin/docker stop --time 40 mlops-api
TimeoutStopSec=50
LogRateLimitIntervalSec=0
Restart=always
RestartSec=5
UNIT

if [ -n "$domain" ]; then
    cat > "$private/Caddyfile" <<CADDY
{
	admin off
	email $letsencrypt_email
}
$domain {
	respond /metrics 404
	reverse_proxy mlops-api:8000
}
CADDY
    mkdir -p "$certificates"
    chown 10001 "$private/Caddyfile" "$certificates"
    # Its program asks for the right to low ports and does not start where no process can have that.
    cat > "$units/mlops-tls.service" <<UNIT
[Unit]
Description=TLS before the API of mlops-core
Requires=docker.service
After=docker.service

[Service]
ExecStartPre=-/usr/bin/docker rm --force mlops-tls
ExecStart=/usr/bin/docker run --name mlops-tls --rm --pull never --log-driver none --network mlops --publish 80:80 --publish 443:443 \\
    --read-only --tmpfs /config:uid=10001 --cap-drop ALL --cap-add NET_BIND_SERVICE --security-opt no-new-privileges:true --user 10001:10001 \\
    --memory 128m --memory-swap 128m --pids-limit 128 \\
    --mount type=bind,source=$private/Caddyfile,target=/etc/caddy/Caddyfile,readonly \\
    --mount type=bind,source=$certificates,target=/data \\
    $caddy
ExecStop=-/usr/bin/docker stop --time 10 mlops-tls
Restart=always
RestartSec=5
UNIT
fi

systemctl daemon-reload
systemctl start mlops-api.service
if [ -n "$domain" ]; then
    systemctl start mlops-tls.service
fi
echo "mlops-api started: $image"
