"""LLVM at work: assembly to machine code for this processor, and machine code into memory."""

from __future__ import annotations

import llvmlite
import llvmlite.binding as llvm

_SPEED = 3


class Machine:
    """This processor, and the code loaded for it; not for use from several threads at once.

    Floating-point arithmetic is done as written: LLVM contracts and reorders nothing unless it is told to.
    """

    def __init__(self) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        cpu, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
        self.about = f"{llvmlite.__version__} {llvm.llvm_version_info} {llvm.get_process_triple()} {cpu} {features}"
        target = llvm.Target.from_default_triple()
        self._target = target.create_target_machine(
            cpu=cpu, features=features, opt=_SPEED, codemodel="jitdefault", jit=True
        )
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self._target)

    def __repr__(self) -> str:
        return f"<Machine {self.about.split()[0]}>"

    def compile(self, assembly: str) -> bytes:
        """Return the object code of a module."""
        module = llvm.parse_assembly(assembly)
        module.triple = self._target.triple
        module.data_layout = str(self._target.target_data)
        module.verify()
        tuning = llvm.create_pipeline_tuning_options(speed_level=_SPEED)
        tuning.loop_vectorization = True
        passes = llvm.create_pass_builder(self._target, tuning)
        passes.getModulePassManager().run(module, passes)
        code: bytes = self._target.emit_object(module)
        return code

    def load(self, name: str, code: bytes) -> int:
        """Put object code into memory for as long as the process lives; return the address of the function `name`."""
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        found: int = self._engine.get_function_address(name)
        return found
