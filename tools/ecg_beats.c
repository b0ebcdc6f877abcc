/* ecg-beats: folders of beat pictures. */
#include "beats/audit.h"
#include "beats/make.h"
#include "beats/pack.h"
#include "beats/synth.h"
#include "common/opts.h"
#include "common/start.h"

int main(int argc, char **argv)
{
    static const opt_sub commands[] = {
        {"make", beats_make, "draw the beats of recordings"},
        {"synth", beats_synth, "draw synthetic beats of seven classes"},
        {"pack", beats_pack, "put many pictures into a few large files"},
        {"audit", beats_audit, "find copies, blanks and odd pictures in folders"},
    };
    tool_start("ecg-beats", argv);
    return tool_finish(opts_dispatch("ecg-beats",
                                     "Makes folders of heartbeat pictures, one folder per class.", commands,
                                     OPT_COUNT(commands), argc, argv));
}
