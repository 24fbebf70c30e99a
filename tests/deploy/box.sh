# Runs a program as the image of the Dockerfile would run it: sh box.sh ROOT APP DATA PATHS -- NAME=VALUE … PROGRAM …
# ROOT is an empty folder that becomes its root. APP is at /app, DATA at /data, PATHS (parted by colons) where they are.
# All but /data, /tmp and Reflex's notes is read-only. The program is process 1, with user id 10001 and no capabilities.
# Run it in `unshare --mount --pid --fork`.
set -e
root=$1 app=$2 data=$3 paths=$4
shift 5
mount -t tmpfs -o mode=755 box "$root"
mkdir "$root/app" "$root/data" "$root/tmp" "$root/proc" "$root/dev"
# First: what PATHS name may be below it.
mount -t tmpfs -o mode=1777 box "$root/tmp"
for path in /usr /etc /bin /sbin /lib /lib64 $(echo "$paths" | tr : ' '); do
    if [ -L "$path" ]; then
        mkdir -p "$(dirname "$root$path")"
        cp --no-dereference "$path" "$root$path"
    elif [ -d "$path" ]; then
        mkdir -p "$root$path"
        mount --rbind "$path" "$root$path"
        mount -o remount,bind,ro "$root$path"
    fi
done
{ cat /etc/passwd; echo "app:x:10001:10001::/data:/usr/sbin/nologin"; } > "$root/passwd"
mount --bind "$root/passwd" "$root/etc/passwd"
mount --bind "$app" "$root/app"
mount -o remount,bind,ro "$root/app"
mount -t tmpfs -o mode=777 box "$root/app/.web/backend"
mount --bind "$data" "$root/data"
mount -t proc proc "$root/proc"
for device in null zero random urandom; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir -m 1777 "$root/dev/shm"
mount -t tmpfs -o mode=1777,size=64m box "$root/dev/shm"
mount -o remount,ro "$root"
exec chroot "$root" setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --bounding-set=-all \
    env --ignore-environment --chdir=/app "$@"
