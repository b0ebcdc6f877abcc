#!/bin/bash
# ds1_cv.sh TOOLS MITDB WORK [EPOCHS [VIEWS]]: how well beats of unseen patients are classified. The 22 training records
# (DS1) of the MIT-BIH Arrhythmia Database in MITDB are drawn in WORK, as `rhythm` with the views close, usual and pace
# unless VIEWS says otherwise; three times, the default network is trained without every third patient and tested on
# those. Prints sensitivity, positive predictivity and F1 of N, S, V and F over the three tests together. Of normal
# beats, one in eight trains; all are tested.
set -eu
export LC_ALL=C
[ $# -ge 3 ] || { echo "usage: $0 TOOLS MITDB WORK [EPOCHS [WINDOW]]"; exit 2; }
tools=$(cd "$1" && pwd) mitdb=$(cd "$2" && pwd) work=$3 epochs=${4:-3} views=${5:-close,usual,pace}
ds1="101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230"
mkdir -p "$work"
cd "$work"
printf '%s\n' 'N = N L R e j' 'S = A a J S' 'V = V E' 'F = F' >classes.txt
if [ ! -d beats ]; then
    # shellcheck disable=SC2046,SC2086
    "$tools/ecg-beats" make $(printf "$mitdb/%s " $ds1) -o beats --window rhythm --views "$views" --classes classes.txt
fi
for fold in 0 1 2; do
    for part in train test; do
        rm -rf "$part$fold"
        mkdir "$part$fold"
        for class in N S V F; do
            ln -s "../beats/$class" "$part$fold/$class"
        done
        cp beats/recipe.txt "$part$fold/"
        awk -F, -v list="$ds1" -v fold=$fold -v part=$part '
            BEGIN { n = split(list, a, " "); for (i = 1; i <= n; i++) at[a[i]] = (i - 1) % 3 }
            NR == 1 { print; next }
            (at[$4] == fold) == (part == "test") && (part == "test" || $2 != "N" || ++seen % 8 == 0)
        ' beats/manifest.csv >"$part$fold/manifest.csv"
    done
    "$tools/ecg-train" train$fold -o fold$fold.ecgm --epochs "$epochs" --seed 1 --lr 0.002 \
        --schedule cosine --quiet
    "$tools/ecg-eval" -m fold$fold.ecgm test$fold --csv fold$fold.csv --quiet >fold$fold.txt
done
echo "patients by fold: every third of $ds1"
awk -F, 'FNR == 1 { next }
    { n++; right += $2 == $3; truth[$2]++; said[$3]++; if ($2 == $3) hit[$2]++; table[$2, $3]++ }
    END {
        split("N S V F", c, " ")
        print "class  beats     Se    PPV     F1      as N     as S     as V     as F"
        for (i = 1; i <= 4; i++) {
            k = c[i]
            se = truth[k] ? hit[k] / truth[k] : 0
            p = said[k] ? hit[k] / said[k] : 0
            printf "%-5s %6d %6.1f %6.1f %6.1f", k, truth[k], 100 * se, 100 * p, se + p ? 200 * se * p / (se + p) : 0
            for (j = 1; j <= 4; j++) printf " %8d", table[k, c[j]]
            print ""
        }
        printf "accuracy %.1f %% of %d beats\n", 100 * right / n, n
    }' fold0.csv fold1.csv fold2.csv
