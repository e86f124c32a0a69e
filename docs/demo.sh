# `make demo`: the main job, first on real data, then on simulated data. Every command is shown before it runs.
set -eu
rm -rf demo
mkdir demo

run() {
    printf '\n$ %s\n' "$*"
    "$@"
}

# Weights of 30 young rats on five days (Gelfand, Hills, Racine-Poon & Smith 1990): every rat has its own line.
run hierfit fit sample_data/rats.csv --y weight --slope day --group rat --seed 1 --out demo/rats
run hierfit summarize demo/rats --groups --sort day --top 3
run hierfit plot demo/rats

# Simulated schools, so that the truth is known and drawn into the pictures.
run hierfit simulate --groups 30 --rows-per-group 20 --seed 1 --out demo/sim
run hierfit fit demo/sim/data.csv --y score --x ses --group school --seed 1 --out demo/schools
run hierfit summarize demo/schools
run hierfit plot demo/schools
