# The first process of the engine's namespaces: engine.sh ROOT REPOSITORY STATE
#
# Makes the unpacked packages in ROOT a root to live in and becomes dockerd there. Where the repository and the
# engine's state lie, they lie for the engine too, since the paths of bind mounts are its own.
set -eu
root=$1 repository=$2 state=$3

# What the packages' own scripts would have done.
for folder in bin sbin lib lib64; do
    [ -e "$root/$folder" ] || ln -s "usr/$folder" "$root/$folder"
done
for tool in iptables ip6tables; do
    ln -sf xtables-nft-multi "$root/usr/sbin/$tool"
done
mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/run" "$root/etc"
echo 'root:x:0:0:root:/root:/bin/sh' > "$root/etc/passwd"
echo 'root:x:0:' > "$root/etc/group"

mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root$repository"
mount --bind "$repository" "$root$repository"

# Not chroot: what `docker exec` runs enters a container by way of the root of its mounts, which must be ours.
mkdir "$root/run/old"
cd "$root"
pivot_root . run/old
umount -l /run/old
ip link set lo up

exec /usr/bin/tini-static -- dockerd --host "unix://$state/docker.sock" --data-root "$state/data" \
    --exec-root /run/docker --pidfile /run/docker.pid
