// machine.h - whether the machine that tfxc runs on is of a target.

#ifndef TFXC_MACHINE_H
#define TFXC_MACHINE_H

#include "compiler/target.h"

bool machine_is(const Target *t);

#endif
