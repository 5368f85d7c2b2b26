#!/bin/sh
# A machine for tests: systemd with the files of this system and those of an
# installation, in namespaces of its own. What it writes goes into memory and ends
# with it.
#
#   machine.sh FOLDER CGROUP    FOLDER/dest: what is laid over the root; CGROUP: a folder of its own in cgroup 2
#
# Run it as root; ends with the machine. Exit 77: the kernel does not allow one here.
set -eu

if [ "${3-}" != inside ]; then
    echo $$ >"$2/cgroup.procs" || exit 77
    exec unshare --pid --fork --kill-child --mount --uts --ipc --cgroup sh "$0" "$1" "$2" inside
fi

folder=$1 root=$1/root
mount --make-rprivate / || exit 77
mount -t tmpfs tmpfs "$folder/memory" || exit 77
mkdir "$folder/memory/upper" "$folder/memory/work" "$folder/memory/dest"
cp -a "$folder/dest/." "$folder/memory/dest"
mount -t overlay overlay \
    -o "lowerdir=$folder/memory/dest:/,upperdir=$folder/memory/upper,workdir=$folder/memory/work" "$root" || exit 77
mount -t proc proc "$root/proc" && mount -t sysfs -o ro sysfs "$root/sys" || exit 77
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" || exit 77
mount --bind -o ro "$root/proc/sys" "$root/proc/sys" # the kernel is not ours alone
mount --rbind /dev "$root/dev"
for place in run var/log; do
    mount -t tmpfs tmpfs "$root/$place"
done
mkdir -p "$root/run/systemd/system"
cp -r "$folder"/units/* "$root/run/systemd/system"
hostname machine
exec chroot "$root" /usr/bin/env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --unit=machine.target --log-target=journal
